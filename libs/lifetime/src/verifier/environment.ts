/** The type of fields that hold a map: they are rejected by name, since no program can tell whose fields those are (C9). */
export const INNER_MAP = 'inner-map';

/** What an allocator hands out. */
export interface AllocatorType {
  /** Name of the type of its objects, `chunk` for one. A field takes objects of its own type. */
  readonly type: string;
}

export interface FieldType {
  /** Name of the type of the objects that it holds, or {@link INNER_MAP}. */
  readonly type: string;
}

export interface MapType {
  /** Number of entries, which are numbered from 0. Each has all the fields. */
  readonly entries: number;
  readonly fields: ReadonlyMap<string, FieldType>;
}

/** What a program may name. */
export interface Environment {
  readonly allocators: ReadonlyMap<string, AllocatorType>;
  readonly maps: ReadonlyMap<string, MapType>;
}
