import { DependencyTable, parseProgram, verify, type Row, type VerifiedProgram } from '@holdfast/lifetime';
import type {
  AllocatorRecord,
  HandleMapRecord,
  PageRequest,
  Page,
  ProgramRecord,
  Store,
} from '@holdfast/store';
import { namedBy } from '../program/named.js';
import { environmentOf } from './environment.js';
import { HeldValues } from './held-values.js';
import { rowOf } from './row-columns.js';

/** Records that one query reads. */
const PAGE_SIZE = 1000;

/** A program that is loaded. */
export interface LoadedProgram {
  readonly record: Omit<ProgramRecord, 'number' | 'log'>;
  /** The maps that it was verified with, by name: others of the same name are others. */
  readonly maps: ReadonlyMap<string, bigint>;
  /** Undefined: a map that it names was freed since, and it runs no more. */
  readonly verified: VerifiedProgram | undefined;
}

/** What is in memory, all of which the records tell. */
export interface Memory {
  readonly table: DependencyTable;
  readonly values: HeldValues;
  readonly maps: Map<string, HandleMapRecord>;
  /** Those that hand out chunks, and those that drain. */
  readonly allocators: Map<string, AllocatorRecord>;
  readonly programs: Map<string, LoadedProgram>;
}

export function emptyMemory(): Memory {
  return {
    table: new DependencyTable(),
    values: new HeldValues(),
    maps: new Map(),
    allocators: new Map(),
    programs: new Map(),
  };
}

/** Reads everything. Programs are verified again: only their text is recorded, and the table says what they were found to do. */
export async function readMemory(store: Store): Promise<Memory> {
  const memory = emptyMemory();
  const { values, maps, allocators, programs } = memory;
  for (const record of await store.allocators.listAll()) {
    if (record.state === 'ACTIVE' || record.state === 'DRAINING') allocators.set(record.name, record);
  }
  for await (const record of all((page) => store.maps.list(page))) maps.set(record.name, record);
  for await (const value of store.maps.allValues()) values.set(value);
  const rows: Row[] = [];
  const mapsOf = new Map<string, Map<string, bigint>>();
  for await (const record of store.programs.rows()) {
    const row = rowOf(record);
    rows.push(row);
    if (row.discardable || row.kind !== 'uses') continue;
    const numbers = mapsOf.get(row.program) ?? new Map<string, bigint>();
    mapsOf.set(row.program, numbers.set(row.field.map, record.mapNumber));
  }
  for await (const record of all((page) => store.programs.list(page))) {
    const numbers = mapsOf.get(record.name) ?? new Map<string, bigint>();
    programs.set(record.name, { record, maps: numbers, verified: verifyAgain(record, numbers, memory) });
  }
  const known = Array.from(allocators.values(), ({ name, state }) => ({
    name,
    state: state === 'DRAINING' ? ('DRAINING' as const) : ('ACTIVE' as const),
  }));
  return { ...memory, table: DependencyTable.from({ allocators: known, rows }) };
}

/** Whether each map that a program was verified with is still the one of its name. */
export function hasItsMaps(numbers: LoadedProgram['maps'], maps: Memory['maps']): boolean {
  return [...numbers].every(([name, number]) => maps.get(name)?.number === number);
}

function verifyAgain(
  { source }: ProgramRecord,
  numbers: LoadedProgram['maps'],
  memory: Memory,
): VerifiedProgram | undefined {
  if (!hasItsMaps(numbers, memory.maps)) return undefined;
  const { program, lines } = parseProgram(source);
  const verdict = verify(program, environmentOf(namedBy(program), memory), { lines });
  return verdict.verdict === 'accepted' ? verdict.verified : undefined;
}

async function* all<Item>(
  list: (request: PageRequest<string>) => Promise<Page<Item, string>>,
): AsyncGenerator<Item, void> {
  for (let after: string | undefined; ;) {
    const { items, next } = await list({ pageSize: PAGE_SIZE, after });
    yield* items;
    if (next === undefined) return;
    after = next;
  }
}
