import { assert } from '@holdfast/foundation';

/** Largest page that a repository answers with; the API's own bound on `page_size`. */
export const PAGE_SIZE_MAX = 1000;

/** Which part of a list is wanted. */
export interface PageRequest<Key> {
  /** At most this many items, 1–{@link PAGE_SIZE_MAX}. */
  readonly pageSize: number;
  /** Only items behind this key; absent for the first page. */
  readonly after?: Key | undefined;
}

/** One part of a list. */
export interface Page<Item, Key> {
  readonly items: readonly Item[];
  /** The `after` of the next page; absent on the last one. */
  readonly next?: Key;
}

/** How many rows to ask for: one more than fits, whose presence says that there is a next page. */
export function rowsToTake(pageSize: number): number {
  assert(
    Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= PAGE_SIZE_MAX,
    `a page has 1–${String(PAGE_SIZE_MAX)} items, not ${String(pageSize)}`,
  );
  return pageSize + 1;
}

/** Makes a page of what {@link rowsToTake} rows became. */
export function toPage<Item, Key>(
  items: readonly Item[],
  pageSize: number,
  keyOf: (item: Item) => Key,
): Page<Item, Key> {
  const last = items[pageSize - 1];
  if (items.length <= pageSize || last === undefined) return { items };
  return { items: items.slice(0, pageSize), next: keyOf(last) };
}
