import { createClient, listAll, workerV1, type ServiceClient } from '@holdfast/contracts';

/** Sessions that are fetched at once. */
const SESSIONS_PAGE = 1000;

/** Longer than the worker waits for requests to end, and short enough for whoever asked for the change to hear of it. */
const HOLD_DEADLINE_MS = 8_000;

/** The rest is answered from memory: whoever asked for the change still waits. */
const TELL_DEADLINE_MS = 3_000;

/** Which chunks sessions are served: those of one allocator in one field of a map, by number. */
export interface ServedField {
  readonly map: bigint;
  readonly field: string;
  readonly allocator: bigint;
}

/** A field that sessions of the worker are served. */
export interface FoundField extends ServedField {
  /** Entries of the map. */
  readonly entries: number;
  /** The newest that the worker knows. */
  readonly epoch: bigint;
}

/** What the allocator-verifier tells the worker. Every failure is a HoldfastError, SERVICE_UNAVAILABLE among them. */
export class WorkerLink {
  readonly #chunks: ServiceClient<workerV1.ChunkServiceService>;
  readonly #sessions: ServiceClient<workerV1.SessionServiceService>;

  /** @param address gRPC target of the worker */
  constructor(address: string) {
    this.#chunks = createClient(workerV1.ChunkServiceService, address);
    this.#sessions = createClient(workerV1.SessionServiceService, address);
  }

  /** Answered when no request of the sessions of a map is under way, and none begins. @throws HoldfastError CHUNKS_BUSY */
  async hold(map: bigint, epoch: bigint): Promise<void> {
    await this.#chunks.holdChunks({ map, epoch }, { deadlineMs: HOLD_DEADLINE_MS });
  }

  /** @param chunks for each entry 0, or the number of its chunk plus 1 */
  async publish(field: ServedField, epoch: bigint, chunks: readonly number[]): Promise<void> {
    const { map, field: name, allocator } = field;
    const request = { map, field: name, allocator, epoch, chunks: [...chunks] };
    await this.#chunks.publishChunks(request, { deadlineMs: TELL_DEADLINE_MS });
  }

  /** Every field that a session is served, once. */
  async fields(): Promise<FoundField[]> {
    const sessions = await listAll(async (pageToken) => {
      const page = await this.#sessions.listSessions(
        { pageSize: SESSIONS_PAGE, pageToken },
        { deadlineMs: TELL_DEADLINE_MS },
      );
      return { items: page.sessions, nextPageToken: page.nextPageToken };
    });
    const found = new Map<string, FoundField>();
    for (const { chunks } of sessions) {
      if (chunks === undefined) continue;
      const { map, field, allocator, entries, epoch } = chunks;
      found.set([map, field, allocator].join('/'), { map, field, allocator, entries, epoch });
    }
    return [...found.values()];
  }

  close(): void {
    this.#chunks.close();
    this.#sessions.close();
  }
}
