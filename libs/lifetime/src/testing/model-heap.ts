import { assert } from '@holdfast/foundation';
import type { Effects, Field } from '../effects.js';
import type { HeapState, Journal } from '../interpreter/buffered-heap.js';
import { formatHandle, sameHandle, type Handle, type Heap, type Slot } from '../interpreter/heap.js';
import { INNER_MAP, type Environment } from '../verifier/environment.js';
import { formatField } from '../verifier/value.js';

function keyOf({ map, index, field }: Slot): string {
  return `${map}[${index}].${field}`;
}

/** Every slot of every map that holds handles. */
export function slotsOf(environment: Environment): Slot[] {
  return [...environment.maps].flatMap(([map, { entries, fields }]) =>
    [...fields]
      .filter(([, { type }]) => type !== INNER_MAP)
      .flatMap(([field]) => Array.from({ length: entries }, (_, index) => ({ map, field, index }))),
  );
}

/**
 * The allocator of each field by its name, as one program alone has it: that of its stores, and of all fields that it
 * moves values between; where there is none, what `otherwise` says of the smallest name among them.
 */
export function ownersOf(
  { stores, moves }: Effects,
  environment: Environment,
  otherwise: (field: string) => string | null,
): Map<string, string | null> {
  const names = [...new Set(slotsOf(environment).map(formatField))];
  const leader = new Map(names.map((name) => [name, name]));
  for (let isSettled = false; !isSettled;) {
    isSettled = true;
    for (const { from, to } of moves) {
      const pair = [formatField(from), formatField(to)];
      const [least = '', other] = pair.map((name) => leader.get(name) ?? name).sort();
      if (least === other) continue;
      for (const name of pair) leader.set(name, least);
      isSettled = false;
    }
  }
  const known = new Map(stores.map(({ allocator, into }) => [leader.get(formatField(into)), allocator]));
  return new Map([...leader].map(([name, first]) => [name, known.get(first) ?? otherwise(first)]));
}

/** A heap in memory that keeps account of every object, and breaks off at the first misuse. No number is used twice. */
export class ModelHeap implements Heap, HeapState {
  readonly live = new Map<string, Handle>();
  readonly #owners: ReadonlyMap<string, string | null>;
  readonly #capacity: number;
  readonly #slots = new Map<string, Handle>();
  readonly #known: ReadonlySet<string>;
  #objects = 0;

  /** @param capacity how many objects of each allocator may live at once */
  constructor(environment: Environment, owners: ReadonlyMap<string, string | null>, capacity: number) {
    this.#owners = owners;
    this.#capacity = capacity;
    this.#known = new Set(slotsOf(environment).map(keyOf));
  }

  /** Puts an object of its allocator into a slot, if it has one and that has room. */
  fill(slot: Slot): void {
    const allocator = this.allocatorOf(slot);
    const handle = allocator === null ? null : this.alloc(allocator);
    const before = this.exchange(slot, handle);
    if (before !== null) this.free(before);
  }

  alloc(allocator: string): Handle | null {
    const used = [...this.live.values()].filter((handle) => handle.allocator === allocator).length;
    if (used >= this.#capacity) return null;
    const handle = { allocator, object: this.#objects++ };
    this.live.set(formatHandle(handle), handle);
    return handle;
  }

  reserve(allocator: string): Handle | null {
    return this.alloc(allocator);
  }

  read(slot: Slot): Handle | null {
    assert(this.#known.has(keyOf(slot)), `there is a slot ${keyOf(slot)}`);
    return this.#slots.get(keyOf(slot)) ?? null;
  }

  exchange(slot: Slot, handle: Handle | null): Handle | null {
    const before = this.read(slot);
    if (handle === null) this.#slots.delete(keyOf(slot));
    else this.#slots.set(keyOf(slot), handle);
    return before;
  }

  free(handle: Handle): void {
    assert(this.live.delete(formatHandle(handle)), `${formatHandle(handle)} is live when it is freed`);
  }

  allocatorOf(field: Field): string | null {
    return this.#owners.get(formatField(field)) ?? null;
  }

  /** Makes a journal true; `spare` are the objects that were reserved in vain. */
  apply({ slots, freed }: Journal, spare: readonly Handle[]): void {
    for (const { slot, before, after } of slots) {
      assert(sameHandle(this.exchange(slot, after), before), `${keyOf(slot)} is as the run found it`);
    }
    for (const handle of [...freed, ...spare]) this.free(handle);
  }

  /** Slot by slot, which allocator's object is in it. */
  get shape(): Record<string, string> {
    return Object.fromEntries([...this.#slots].map(([slot, { allocator }]) => [slot, allocator] as const));
  }

  /** Every live object is in one slot, and every slot that is not null has a live object. */
  get isWhole(): boolean {
    const stored = [...this.#slots.values()].map(formatHandle);
    return (
      new Set(stored).size === stored.length &&
      stored.length === this.live.size &&
      stored.every((name) => this.live.has(name))
    );
  }
}
