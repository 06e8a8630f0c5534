import type { Slot, ValueRecord } from '@holdfast/store';

/**
 * What the fields of maps hold, as the records have it. It is in memory as a whole: a run looks at any field without waiting,
 * and whether a field is empty is known at once. A field that holds nothing takes no room.
 */
export class HeldValues {
  readonly #maps = new Map<bigint, Map<string, Map<number, ValueRecord>>>();

  get({ mapNumber, field, entry }: Slot): ValueRecord | undefined {
    return this.#maps.get(mapNumber)?.get(field)?.get(entry);
  }

  set(value: ValueRecord): void {
    const { mapNumber, field, entry } = value;
    const fields = this.#maps.get(mapNumber) ?? new Map<string, Map<number, ValueRecord>>();
    this.#maps.set(mapNumber, fields);
    const entries = fields.get(field) ?? new Map<number, ValueRecord>();
    fields.set(field, entries.set(entry, value));
  }

  delete({ mapNumber, field, entry }: Slot): void {
    const fields = this.#maps.get(mapNumber);
    const entries = fields?.get(field);
    entries?.delete(entry);
    if (entries?.size === 0) fields?.delete(field);
    if (fields?.size === 0) this.#maps.delete(mapNumber);
  }

  isEmpty(mapNumber: bigint, field: string): boolean {
    return this.#maps.get(mapNumber)?.get(field) === undefined;
  }

  /** At most so many of a map's. */
  ofMap(mapNumber: bigint, limit: number): ValueRecord[] {
    const found: ValueRecord[] = [];
    for (const entries of this.#maps.get(mapNumber)?.values() ?? []) {
      for (const value of entries.values()) {
        if (found.length === limit) return found;
        found.push(value);
      }
    }
    return found;
  }
}
