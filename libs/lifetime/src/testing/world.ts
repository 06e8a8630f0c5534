import { Checker } from '../audit/checker.js';
import { Observer, auditRecord, type AuditRecord, type Operation } from '../audit/trail.js';
import type { Effects, Field } from '../effects.js';
import type { IsEmpty, Outcome, TableChange } from '../table/change.js';
import { DependencyTable } from '../table/dependency-table.js';
import { nameOf } from '../table/row.js';
import { transact } from '../table/transact.js';
import { MemoryStore, RolledBack } from './memory-store.js';
import { Oracle, type RuntimeObject } from './oracle.js';

/** Entries of each map. Two are enough to tell "one is null" from "all are". */
export const ENTRIES = 2;

/**
 * A service in small: a table over a store, maps with objects in their fields, programs that run. Whatever it does is replayed by
 * the checker and watched by the oracle; `findings` is what either of them objects to.
 */
export class World {
  table = new DependencyTable();
  readonly store = new MemoryStore();
  readonly oracle = new Oracle();
  readonly trail: AuditRecord[] = [];
  readonly loaded = new Map<string, Effects>();
  readonly #checker = new Checker();
  readonly #values = new Map<string, (RuntimeObject | null)[]>();
  /** Values that a run holds in a register, by program. */
  readonly #stacks = new Map<string, { object: RuntimeObject; of: Field }[]>();
  readonly #findings: string[] = [];

  get findings(): string[] {
    return [...this.#findings, ...this.oracle.violations];
  }

  readonly isEmpty: IsEmpty = (field) => this.entries(field).every((value) => value === null);

  async createAllocator(allocator: string): Promise<boolean> {
    const outcome = this.table.createAllocator(allocator);
    const done = await this.#decide({ kind: 'create-allocator', allocator }, outcome);
    if (done) this.oracle.created(allocator);
    return done;
  }

  async load(program: string, effects: Effects): Promise<boolean> {
    const outcome = this.table.load(program, effects);
    const done = await this.#decide({ kind: 'load', program, effects }, outcome);
    if (done) this.loaded.set(program, effects);
    return done;
  }

  /** Its run, if one is under way, ends first: it frees what it holds. */
  async unload(program: string): Promise<void> {
    for (const { object, of } of this.#stacks.get(program) ?? [])
      this.oracle.free(object, this.table.allocatorOf(of));
    this.#stacks.delete(program);
    const observer = new Observer(this.isEmpty);
    const change = this.table.unload(program, observer.isEmpty);
    if (await this.#decide({ kind: 'unload', program }, change, observer)) this.loaded.delete(program);
  }

  async freeMap(map: string): Promise<void> {
    const observer = new Observer(this.isEmpty);
    const change = this.table.freeMap(map, observer.isEmpty);
    await this.#decide({ kind: 'free-map', map }, change, observer);
  }

  async destroyAllocator(allocator: string): Promise<void> {
    await this.#decide({ kind: 'destroy-allocator', allocator }, this.table.destroyAllocator(allocator));
  }

  /** Everything in memory is lost, and made anew of what the store has. */
  crash(): void {
    this.table = DependencyTable.from(this.store.records());
  }

  /** Allocates and stores; what was there is freed. */
  allocate(allocator: string, into: Field, entry = 0): void {
    this.exchange(into, entry, this.oracle.allocate(allocator));
  }

  move(from: Field, to: Field, entry = 0): void {
    const taken = this.entries(from)[entry] ?? null;
    this.entries(from)[entry] = null;
    if (taken !== null) this.exchange(to, entry, taken);
  }

  /** Takes a value into a register of the program, where no walk finds it. */
  take(program: string, of: Field, entry = 0): boolean {
    const object = this.entries(of)[entry] ?? null;
    this.entries(of)[entry] = null;
    if (object === null) return false;
    this.#stacks.set(program, [...(this.#stacks.get(program) ?? []), { object, of }]);
    return true;
  }

  /** Frees the value that the program took last, at a free site of its own. */
  freeTaken(program: string): void {
    const taken = this.#stacks.get(program)?.pop();
    if (taken !== undefined) this.oracle.free(taken.object, this.table.allocatorOf(taken.of));
  }

  /** Puts the value that the program took last back where it was. */
  putBack(program: string): void {
    const taken = this.#stacks.get(program)?.pop();
    if (taken !== undefined) this.exchange(taken.of, 0, taken.object);
  }

  exchange(field: Field, entry: number, object: RuntimeObject): void {
    const before = this.entries(field)[entry] ?? null;
    if (before !== null) this.oracle.free(before, this.table.allocatorOf(field));
    this.entries(field)[entry] = object;
  }

  entries(field: Field): (RuntimeObject | null)[] {
    const entries = this.#values.get(nameOf(field)) ?? Array.from({ length: ENTRIES }, () => null);
    this.#values.set(nameOf(field), entries);
    return entries;
  }

  /** @returns whether it was accepted and persisted */
  async #decide(operation: Operation, decided: Outcome | TableChange, observer?: Observer): Promise<boolean> {
    const outcome = 'accepted' in decided ? decided : { accepted: true as const, change: decided };
    if (outcome.accepted) {
      const { change } = outcome;
      const before = this.table.chains();
      try {
        await transact(this.table, change, this.store.persist);
      } catch (error) {
        if (!(error instanceof RolledBack)) throw error;
        this.#expectSame(before, 'a change that was not persisted');
        return false;
      }
      for (const freed of change.valuesFreed) this.#freeAll(freed.field, freed.allocator);
      for (const allocator of change.allocatorsDestroyed) this.oracle.destroyed(allocator);
    }
    const record = auditRecord(operation, decided, observer?.observed);
    this.trail.push(record);
    this.#findings.push(...this.#checker.replay(record));
    this.#expectSame(this.#checker.chains(), JSON.stringify(operation));
    return outcome.accepted;
  }

  #freeAll(field: Field, allocator: string | undefined): void {
    for (const object of this.entries(field)) if (object !== null) this.oracle.free(object, allocator);
    this.#values.delete(nameOf(field));
  }

  /** The table, and the one that would be made of what is persisted, are both as expected. */
  #expectSame(chains: readonly unknown[], what: string): void {
    const expected = JSON.stringify(chains);
    const rebuilt = DependencyTable.from(this.store.records());
    if (JSON.stringify(this.table.chains()) !== expected) this.#findings.push(`the table after ${what}`);
    if (JSON.stringify(rebuilt.chains()) !== expected) this.#findings.push(`the rows after ${what}`);
    const states = JSON.stringify(this.table.records().allocators.sort(byName));
    if (JSON.stringify(rebuilt.records().allocators.sort(byName)) !== states)
      this.#findings.push(`the allocators after ${what}`);
  }
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}
