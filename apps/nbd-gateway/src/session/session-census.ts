import { createClient, FollowedStream, listAll, workerV1, type ServiceClient } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';

/** How many sessions run on each export, as the worker tells: the base of the limits, also after a restart. */
export class SessionCensus {
  readonly #sessions: ServiceClient<workerV1.SessionServiceService>;
  readonly #logger: Logger;
  /** Export by session. */
  readonly #exports = new Map<string, string>();
  #stream: FollowedStream<workerV1.SessionEvent> | undefined;

  constructor(workerAddress: string, logger: Logger) {
    this.#sessions = createClient(workerV1.SessionServiceService, workerAddress);
    this.#logger = logger;
  }

  get total(): number {
    return this.#exports.size;
  }

  has(session: string): boolean {
    return this.#exports.has(session);
  }

  countOf(exportName: string): number {
    let count = 0;
    for (const name of this.#exports.values()) if (name === exportName) count++;
    return count;
  }

  /** A session that is about to be prepared; the worker tells when it has ended. */
  add(session: string, exportName: string): void {
    this.#exports.set(session, exportName);
  }

  /** A session that was not prepared after all. */
  remove(session: string): void {
    this.#exports.delete(session);
  }

  follow(): void {
    this.#stream = new FollowedStream(() => this.#sessions.watchSessions({}), {
      onMessage: ({ ended }) => {
        if (ended === undefined) void this.#recount();
        else this.#exports.delete(ended.name);
      },
      // The sessions of a worker that died died with it; of one that did not, they are counted again.
      onBreak: () => {
        this.#exports.clear();
      },
    });
  }

  /** The sessions that the worker has. @throws HoldfastError SERVICE_UNAVAILABLE */
  list(): Promise<workerV1.Session[]> {
    return listAll(async (pageToken) => {
      const { sessions, nextPageToken } = await this.#sessions.listSessions({ pageSize: 1000, pageToken });
      return { items: sessions, nextPageToken };
    });
  }

  stop(): void {
    this.#stream?.close();
    this.#sessions.close();
  }

  async #recount(): Promise<void> {
    try {
      for (const session of await this.list()) this.#exports.set(session.name, session.export);
    } catch (error) {
      this.#logger.warn(`cannot count the worker's sessions: ${messageOf(error)}`);
    }
  }
}
