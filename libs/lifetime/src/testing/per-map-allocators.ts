import type { Effects, Field } from '../effects.js';
import { nameOf } from '../table/row.js';

/**
 * The scheme that the discussion began with, as a contrast: each map notes which allocators were stored into its fields by the
 * programs it has seen so far, at their load, and lets go of them when it is freed. It is not told what moves from map to map
 * before anything was stored.
 */
export class PerMapAllocators {
  /** `used_allocators` of each map: a reference for each pair of field and allocator. */
  readonly #used = new Map<string, Map<string, string>>();

  load({ stores, moves }: Effects): void {
    for (const { allocator, into } of stores) this.#note(into, allocator);
    for (const { from, to } of moves) {
      const known = this.#used.get(from.map)?.get(nameOf(from));
      if (known !== undefined) this.#note(to, known);
    }
  }

  freeMap(map: string): void {
    this.#used.delete(map);
  }

  /** Whether some map holds a reference. */
  isReferenced(allocator: string): boolean {
    return [...this.#used.values()].some((used) => [...used.values()].includes(allocator));
  }

  #note(field: Field, allocator: string): void {
    const used = this.#used.get(field.map) ?? new Map<string, string>();
    this.#used.set(field.map, used.set(nameOf(field), allocator));
  }
}
