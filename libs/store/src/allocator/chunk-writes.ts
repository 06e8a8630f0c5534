import { HoldfastError } from '@holdfast/foundation';
import type { Transaction } from '../database/client.js';
import type { Slot, ValueRecord } from '../handle-map/handle-map-record.js';
import { toValueRow } from '../handle-map/value-row.js';
import type { VerifierNote } from '../verifier-audit/verifier-audit-log.js';
import type { AllocatorState } from './allocator-record.js';
import { toBytes } from './generations.js';

/** Slots in one statement: SQLite takes 32,766 parameters. */
const ENTRIES_PER_STATEMENT = 1000;

/** A page of generations, as it is from now on. */
export interface PageWrite {
  readonly page: number;
  readonly generations: Uint32Array;
}

/** A change of the chunks of any number of allocators, and of who has them: part of one transaction (C10). */
export interface ChunkWrites {
  /** Numbers of the allocators that hand out chunks in it. */
  readonly handingOut: readonly bigint[];
  readonly pages: readonly (PageWrite & { readonly allocatorNumber: bigint })[];
  /** Where maps hold something no more, or something else. */
  readonly cleared: readonly Slot[];
  /** What maps hold from now on, in slots that are null by then. */
  readonly stored: readonly ValueRecord[];
}

/** @throws HoldfastError ALLOCATOR_NOT_FOUND when an allocator hands out no chunks, and has to */
export async function writeChunks(
  tx: Transaction,
  note: VerifierNote,
  { handingOut, pages, cleared, stored }: ChunkWrites,
): Promise<void> {
  // In one order, so that no two transactions wait for each other.
  for (const number of [...handingOut].sort((one, other) => (one < other ? -1 : 1))) {
    await requireActive(tx, number);
  }
  for (const { mapNumber, field, entries } of entriesByField(cleared)) {
    await tx.mapValue.deleteMany({ where: { mapNumber, field, entry: { in: entries } } });
  }
  for (const slot of cleared) note({ kind: 'value', subject: subjectOf(slot), event: 'cleared' });
  await tx.mapValue.createMany({ data: stored.map(toValueRow) });
  for (const value of stored) {
    const { chunk, generation } = value;
    const detail = { allocator: String(value.allocatorNumber), chunk, generation };
    note({ kind: 'value', subject: subjectOf(value), event: 'stored', detail });
  }
  for (const { allocatorNumber, page, generations } of pages) {
    const key = { allocatorNumber, page };
    const data = { generations: toBytes(generations) };
    await tx.chunkPage.upsert({
      where: { allocatorNumber_page: key },
      create: { ...key, ...data },
      update: data,
    });
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

/** The entries of each field, as many together as one statement takes. */
function* entriesByField(slots: readonly Slot[]) {
  const groups = new Map<string, { mapNumber: bigint; field: string; entries: number[] }>();
  for (const { mapNumber, field, entry } of slots) {
    const key = `${String(mapNumber)}/${field}`;
    const group = groups.get(key) ?? { mapNumber, field, entries: [] };
    groups.set(key, group);
    group.entries.push(entry);
    if (group.entries.length < ENTRIES_PER_STATEMENT) continue;
    groups.delete(key);
    yield group;
  }
  yield* groups.values();
}

function subjectOf({ mapNumber, field, entry }: Slot): string {
  return `maps/${String(mapNumber)}/${field}/${String(entry)}`;
}
