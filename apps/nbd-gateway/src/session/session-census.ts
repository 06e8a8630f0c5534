import { createClient, FollowedStream, listAll, workerV1, type ServiceClient } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';
import { clientOf } from '../client/client-peer.js';

/** What limits go by. */
interface Counted {
  /** `exports/{export}` */
  readonly exportName: string;
  /** As `clientOf` tells clients apart. */
  readonly client: string;
}

/**
 * How many sessions run on each export and for each client, as the worker tells: the base of the limits, also after a
 * restart.
 */
export class SessionCensus {
  /** Told of the exports that have sessions, by name, whenever the worker was found and its sessions were counted. */
  onRecount: (exportNames: ReadonlySet<string>) => void = () => undefined;
  readonly #sessions: ServiceClient<workerV1.SessionServiceService>;
  readonly #logger: Logger;
  /** By session, those that are being opened here: the worker may not know them yet. */
  readonly #opening = new Map<string, Counted>();
  /** By session, those that the worker has and that are not being opened; no session is in both. */
  readonly #running = new Map<string, Counted>();
  /** Sessions that ended while the worker's are being counted: an answer under way may still name them. */
  #endedMeanwhile: Set<string> | undefined;
  #stream: FollowedStream<workerV1.SessionEvent> | undefined;

  constructor(workerAddress: string, logger: Logger) {
    this.#sessions = createClient(workerV1.SessionServiceService, workerAddress);
    this.#logger = logger;
  }

  get total(): number {
    return this.#opening.size + this.#running.size;
  }

  has(session: string): boolean {
    return this.#opening.has(session) || this.#running.has(session);
  }

  /** Sessions on an export; only those of one client, if it is given. */
  countOf(exportName: string, client?: string): number {
    return this.#count(
      (one) => one.exportName === exportName && (client === undefined || one.client === client),
    );
  }

  /** Sessions of one client, on whatever export. */
  countOfClient(client: string): number {
    return this.#count((one) => one.client === client);
  }

  /** A session that is about to be prepared: from now on it counts. */
  opening(session: string, exportName: string, clientAddress: string): void {
    this.#opening.set(session, { exportName, client: clientOf(clientAddress) });
  }

  /** The worker has prepared it, and tells when it has ended. */
  opened(session: string): void {
    const counted = this.#opening.get(session);
    if (counted !== undefined) this.#running.set(session, counted);
    this.#opening.delete(session);
  }

  /** It was not prepared after all. */
  notOpened(session: string): void {
    this.#opening.delete(session);
  }

  follow(): void {
    this.#stream = new FollowedStream(() => this.#sessions.watchSessions({}), {
      onMessage: ({ ended }) => {
        if (ended === undefined) void this.#recount();
        else this.#ended(ended.name);
      },
      // The sessions of a worker that died died with it; of one that did not, they are counted again.
      onBreak: () => {
        this.#endedMeanwhile = undefined;
        this.#running.clear();
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

  #count(isMeant: (counted: Counted) => boolean): number {
    return [...this.#opening.values(), ...this.#running.values()].filter(isMeant).length;
  }

  #ended(session: string): void {
    this.#running.delete(session);
    this.#endedMeanwhile?.add(session);
  }

  /** The stream tells of every end from now on; what ended unseen before is not among those listed. */
  async #recount(): Promise<void> {
    const ended = new Set<string>();
    this.#endedMeanwhile = ended;
    this.#running.clear();
    try {
      const sessions = await this.list();
      // Broken off meanwhile: another count follows, and is the one that is true.
      if (this.#endedMeanwhile !== ended) return;
      for (const { name, export: exportName, clientAddress } of sessions) {
        if (ended.has(name) || this.#opening.has(name)) continue;
        this.#running.set(name, { exportName, client: clientOf(clientAddress) });
      }
      this.#endedMeanwhile = undefined;
      this.onRecount(new Set(sessions.map((session) => session.export)));
    } catch (error) {
      this.#logger.warn(`cannot count the worker's sessions: ${messageOf(error)}`);
    }
  }
}
