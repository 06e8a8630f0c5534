import { HoldfastError } from '@holdfast/foundation';
import { isUniqueViolation } from '../database/database-error.js';
import type { Database } from '../database/database.js';
import type { Slot, ValueRecord } from '../handle-map/handle-map-record.js';
import type { VerifierAuditLog } from '../verifier-audit/verifier-audit-log.js';
import { writeChunks, type ChunkWrites, type PageWrite } from './chunk-writes.js';
import { fromBytes } from './generations.js';

/** A change of chunks, and of who has them: all of it happens, or nothing does (C10). */
export interface ChunkChange {
  readonly allocatorNumber: bigint;
  readonly pages: readonly PageWrite[];
  /** Where maps hold something no more. */
  readonly cleared: readonly Slot[];
  /** What maps hold from now on, in slots that are null by then. */
  readonly stored: readonly ValueRecord[];
}

/** Pages that one query reads: 4 MiB. */
const PAGES_READ = 1024;

/** Which chunks are allocated, page by page, and who has them. */
export class ChunkRepository {
  readonly #database: Database;
  readonly #audit: VerifierAuditLog;

  constructor(database: Database, audit: VerifierAuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  /**
   * Writes a change in one transaction.
   *
   * @throws HoldfastError ALLOCATOR_NOT_FOUND when the allocator hands out no chunks, and some are stored; SLOT_TAKEN when
   * a slot holds something, or a chunk is held already
   */
  async apply({ allocatorNumber, pages, ...values }: ChunkChange): Promise<void> {
    await this.applyAll({
      handingOut: values.stored.length > 0 ? [allocatorNumber] : [],
      pages: pages.map((page) => ({ allocatorNumber, ...page })),
      ...values,
    });
  }

  /** The same of several allocators: what a run of a program changed. */
  async applyAll(writes: ChunkWrites): Promise<void> {
    try {
      await this.#audit.transaction((tx, note) => writeChunks(tx, note, writes));
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new HoldfastError(
        'SLOT_TAKEN',
        'A slot of the map holds a handle, or a chunk is held by another.',
        {},
        error,
      );
    }
  }

  /** A page as it was written; undefined when it never was. */
  async page(allocatorNumber: bigint, page: number): Promise<Uint32Array | undefined> {
    const key = { allocatorNumber, page };
    const row = await this.#database.run((client) =>
      client.chunkPage.findUnique({ where: { allocatorNumber_page: key } }),
    );
    return row === null ? undefined : fromBytes(row.generations);
  }

  /** All pages that were ever written, in order; as many at a time as one query reads. */
  async *pages(allocatorNumber: bigint): AsyncGenerator<PageWrite> {
    for (let after = -1; ;) {
      const rows = await this.#database.run((client) =>
        client.chunkPage.findMany({
          where: { allocatorNumber, page: { gt: after } },
          orderBy: { page: 'asc' },
          take: PAGES_READ,
        }),
      );
      for (const { page, generations } of rows) yield { page, generations: fromBytes(generations) };
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGES_READ) return;
      after = last.page;
    }
  }
}
