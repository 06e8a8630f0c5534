import { assert, HoldfastError } from '@holdfast/foundation';
import type { Transaction } from '../database/client.js';
import { isUniqueViolation } from '../database/database-error.js';
import type { Database } from '../database/database.js';
import type { Slot, ValueRecord } from '../handle-map/handle-map-record.js';
import { toValueRow } from '../handle-map/value-row.js';
import type { VerifierAuditLog } from '../verifier-audit/verifier-audit-log.js';
import type { AllocatorState } from './allocator-record.js';

/** A page of generations, as it is from now on. */
export interface PageWrite {
  readonly page: number;
  readonly generations: Uint32Array;
}

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
  async apply({ allocatorNumber, pages, cleared, stored }: ChunkChange): Promise<void> {
    try {
      await this.#audit.transaction(async (tx, note) => {
        if (stored.length > 0) await requireActive(tx, allocatorNumber);
        for (const slot of cleared) {
          await tx.mapValue.deleteMany({ where: { ...slotOf(slot) } });
          note({ kind: 'value', subject: subjectOf(slot), event: 'cleared' });
        }
        await tx.mapValue.createMany({ data: stored.map(toValueRow) });
        for (const value of stored) {
          const { chunk, generation } = value;
          const detail = { allocator: String(value.allocatorNumber), chunk, generation };
          note({ kind: 'value', subject: subjectOf(value), event: 'stored', detail });
        }
        for (const { page, generations } of pages) {
          const key = { allocatorNumber, page };
          const data = { generations: toBytes(generations) };
          await tx.chunkPage.upsert({
            where: { allocatorNumber_page: key },
            create: { ...key, ...data },
            update: data,
          });
        }
      });
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

/** Written, so that it is kept as it is until the transaction ends: nobody seals it meanwhile. */
async function requireActive(tx: Transaction, number: bigint): Promise<void> {
  const state = 'ACTIVE' satisfies AllocatorState;
  const { count } = await tx.allocator.updateMany({ where: { number, state }, data: { state } });
  if (count === 1) return;
  throw new HoldfastError('ALLOCATOR_NOT_FOUND', `The allocator ${String(number)} hands out no chunks.`, {
    allocator: String(number),
  });
}

function slotOf({ mapNumber, field, entry }: Slot): Slot {
  return { mapNumber, field, entry };
}

function subjectOf({ mapNumber, field, entry }: Slot): string {
  return `maps/${String(mapNumber)}/${field}/${String(entry)}`;
}

/** Little-endian, whatever the machine. */
function toBytes(generations: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(generations.length * 4);
  const view = new DataView(bytes.buffer);
  generations.forEach((generation, index) => {
    view.setUint32(index * 4, generation, true);
  });
  return bytes;
}

function fromBytes(bytes: Uint8Array): Uint32Array {
  assert(bytes.byteLength % 4 === 0, 'a page is whole');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getUint32(index * 4, true));
}
