import { HoldfastError } from '@holdfast/foundation';
import type { Database } from '../database/database.js';
import { insertOnce } from '../database/insert-once.js';
import type { Request } from '../generated/sqlite/client.js';
import type { RequestRecord } from './request-record.js';

/** A request may be repeated under its id for a day; then the id is forgotten. */
export const REQUEST_KEPT_MS = 24 * 60 * 60 * 1000;

/** Requests remembered at most, the oldest go first: about 10 MB. */
export const REQUESTS_KEPT = 10_000;

/** Requests between two looks for more than are kept. */
const PRUNE_EVERY = 100;

/**
 * The requests that came with an id (AIP-155). That an id was used is on the disk before anything is done; what was done
 * is noted in the transaction that does it (`Cause.requestId`), so that a crash between leaves no doubt.
 */
export class RequestRepository {
  readonly #database: Database;
  #sincePruned = PRUNE_EVERY;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Remembers a request, or answers with what is known of it.
   *
   * @param fingerprint equal for equal requests
   * @throws HoldfastError REQUEST_ID_REUSED when another request came with the id
   */
  async begin(id: string, fingerprint: string, now = new Date()): Promise<RequestRecord> {
    await this.#prune(now);
    const { record: row } = await insertOnce<Request>(
      () =>
        this.#database.run((client) => client.request.create({ data: { id, fingerprint, createTime: now } })),
      async () =>
        (await this.#database.run((client) => client.request.findUnique({ where: { id } }))) ?? undefined,
    );
    if (row.fingerprint === fingerprint) return toRequestRecord(row);
    throw requestIdReused(id);
  }

  /** Records what the request was answered with. */
  async finish(id: string, response: Uint8Array): Promise<void> {
    const data = { response: Buffer.from(response).toString('base64') };
    await this.#database.run((client) => client.request.updateMany({ where: { id }, data }));
  }

  /** The request has failed: whatever was done for it is undone. */
  async fail(id: string): Promise<void> {
    const data = { effect: null, attachmentId: null };
    await this.#database.run((client) => client.request.updateMany({ where: { id }, data }));
  }

  async #prune(now: Date): Promise<void> {
    const expired = new Date(now.getTime() - REQUEST_KEPT_MS);
    await this.#forget(expired);
    this.#sincePruned += 1;
    if (this.#sincePruned < PRUNE_EVERY) return;
    this.#sincePruned = 0;
    const newestTooMany = await this.#database.run((client) =>
      client.request.findFirst({ orderBy: { createTime: 'desc' }, skip: REQUESTS_KEPT }),
    );
    if (newestTooMany !== null) await this.#forget(newestTooMany.createTime);
  }

  async #forget(upTo: Date): Promise<void> {
    const where = { createTime: { lte: upTo } };
    await this.#database.run((client) => client.request.deleteMany({ where }));
  }
}

export function requestIdReused(id: string): HoldfastError {
  return new HoldfastError('REQUEST_ID_REUSED', `The request id ${id} was used for another request.`, {
    requestId: id,
  });
}

function toRequestRecord({ id, effect, attachmentId, response }: Request): RequestRecord {
  return {
    id,
    ...(effect !== null && { effect }),
    ...(attachmentId !== null && { attachmentId }),
    ...(response !== null && { response: Buffer.from(response, 'base64') }),
  };
}
