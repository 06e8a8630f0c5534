import { fieldsOf, keyOf, type Field, type Row } from '@holdfast/lifetime';
import type { FieldColumns, RowDefinition, RowKind, RowRecord } from '@holdfast/store';

const kinds = { stores: 'S', moves: 'E', uses: 'U' } as const satisfies Record<Row['kind'], RowKind>;

/** The registers of a program, where it holds what it allocates and frees without storing it: a map that no map can be named. */
export function registersOf(program: string, allocator: string): Field {
  return { map: `@${program}`, field: allocator };
}

/** What tells numbers of names. */
export interface Numbers {
  /** 0n for what is no map. */
  ofMap(name: string): bigint;
  ofAllocator(name: string): bigint;
}

export function columnsOf(row: Row, numbers: Numbers): RowDefinition {
  const columns = ({ map, field }: Field): FieldColumns => ({ mapNumber: numbers.ofMap(map), field });
  const [first, other] = fieldsOf(row);
  return {
    key: keyOf(row),
    kind: kinds[row.kind],
    ...columns(first),
    ...(other !== undefined && { other: columns(other) }),
    ...(row.kind === 'stores' && { allocatorNumber: numbers.ofAllocator(row.allocator) }),
  };
}

/** The row that was written with this key. */
export function rowOf({ key, discardable }: Pick<RowRecord, 'key' | 'discardable'>): Row {
  const [program = '', kind, allocator = '', map = '', field = '', toMap = '', toField = ''] = JSON.parse(
    key,
  ) as string[];
  const first = { map, field };
  if (kind === 'stores') return { kind, program, allocator, field: first, discardable };
  if (kind === 'moves') {
    return { kind, program, from: first, to: { map: toMap, field: toField }, discardable };
  }
  return { kind: 'uses', program, field: first, discardable };
}
