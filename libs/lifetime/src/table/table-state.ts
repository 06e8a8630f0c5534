import { assert } from '@holdfast/foundation';
import type { Field } from '../effects.js';
import { AllocatorState, type AllocatorRecord, type Lock, type TableChange } from './change.js';
import { FieldNode, chainOf, nodesOf, rowsOf, unite, type Chain, type HeldRow } from './field-forest.js';
import { fieldsOf, keyOf, nameOf, type Row } from './row.js';

/** An allocator in memory. */
export interface HeldAllocator {
  readonly name: string;
  state: AllocatorState;
  /** Those that are bound to it. Each has an S row that names it, so with the last of them the last such row has gone. */
  readonly chains: Set<Chain>;
  version: number;
}

/** What a change was computed from: it may be committed as long as that is the same. Versions only rise; 0 is absence. */
export interface Basis {
  readonly fields: readonly (readonly [Field, number])[];
  readonly allocators: readonly (readonly [name: string, version: number, mode: Lock['mode']])[];
}

/** Rows, and what is derived of them. Everything but `apply` only reads. */
export class TableState {
  readonly #maps = new Map<string, Map<string, FieldNode>>();
  readonly #programs = new Map<string, HeldRow[]>();
  readonly #allocators = new Map<string, HeldAllocator>();
  #clock = 0;

  node({ map, field }: Field): FieldNode | undefined {
    return this.#maps.get(map)?.get(field);
  }

  chain(field: Field): Chain | undefined {
    const node = this.node(field);
    return node === undefined ? undefined : chainOf(node);
  }

  nodesOfMap(map: string): Iterable<FieldNode> {
    return this.#maps.get(map)?.values() ?? [];
  }

  rowsOfProgram(program: string): readonly HeldRow[] {
    return this.#programs.get(program) ?? [];
  }

  allocator(name: string): HeldAllocator | undefined {
    return this.#allocators.get(name);
  }

  allocatorRecords(): AllocatorRecord[] {
    return [...this.#allocators.values()].map(({ name, state }) => ({ name, state }));
  }

  *chains(): Generator<Chain, void> {
    for (const fields of this.#maps.values())
      for (const node of fields.values()) if (node.chain !== undefined) yield node.chain;
  }

  *rows(): Generator<Row, void> {
    for (const rows of this.#programs.values()) for (const row of rows) yield rowOf(row);
  }

  isCurrent({ fields, allocators }: Basis): boolean {
    return (
      fields.every(([field, version]) => (this.chain(field)?.version ?? 0) === version) &&
      allocators.every(([name, version]) => (this.#allocators.get(name)?.version ?? 0) === version)
    );
  }

  /** Does to memory what the store has done to its rows. */
  apply(change: Omit<TableChange, 'locks'>, basis: Basis): void {
    const now = ++this.#clock;
    for (const name of change.allocatorsCreated) this.#create(name);
    for (const row of change.inserted) this.#insert(row);
    this.#update(change.updated);
    this.#dissolve(change.deleted);
    for (const name of change.allocatorsDraining) this.#held(name).state = AllocatorState.Draining;
    for (const name of change.allocatorsDestroyed) this.#destroy(name);
    for (const [field] of basis.fields) {
      const chain = this.chain(field);
      if (chain !== undefined) chain.version = now;
    }
    for (const [name, , mode] of basis.allocators) {
      const allocator = this.#allocators.get(name);
      if (allocator !== undefined && mode === 'exclusive') allocator.version = now;
    }
  }

  #create(name: string): void {
    assert(!this.#allocators.has(name), `allocator ${name} is created once`);
    const version = this.#clock;
    this.#allocators.set(name, { name, state: AllocatorState.Active, chains: new Set(), version });
  }

  #destroy(name: string): void {
    assert(this.#held(name).chains.size === 0, `no chain is bound to ${name} when it is destroyed`);
    this.#allocators.delete(name);
  }

  #insert({ discardable, ...fact }: Row): void {
    const nodes = fieldsOf(fact).map((field) => this.#nodeAt(field));
    const [first, second] = nodes as [FieldNode, FieldNode?];
    const row = { fact, node: first, other: second, discardable };
    first.rows.push(row);
    let chain = chainOf(first);
    if (second !== undefined && second !== first) {
      second.rows.push(row);
      chain = this.#unite(chain, chainOf(second));
    }
    if (!discardable) chain.liveRows++;
    if (fact.kind === 'stores') this.#bind(chain, fact.allocator);
    const ofProgram = this.#programs.get(fact.program);
    if (ofProgram === undefined) this.#programs.set(fact.program, [row]);
    else ofProgram.push(row);
  }

  #update(rows: readonly Row[]): void {
    const programs = new Set(rows.map(({ program }) => program));
    const known = [...programs].flatMap((program) => this.rowsOfProgram(program));
    const byKey = new Map(known.map((row) => [keyOf(row.fact), row]));
    for (const row of rows) {
      const held = byKey.get(keyOf(row));
      assert(held !== undefined && held.discardable !== row.discardable, 'an updated row changes');
      held.discardable = row.discardable;
      chainOf(held.node).liveRows += row.discardable ? -1 : 1;
    }
  }

  #bind(chain: Chain, allocator: string): void {
    assert(chain.allocator === undefined || chain.allocator === allocator, 'a class has one allocator');
    chain.allocator = allocator;
    this.#held(allocator).chains.add(chain);
  }

  #unite(one: Chain, other: Chain): Chain {
    const { chain, absorbed } = unite(one, other);
    if (absorbed?.allocator !== undefined) {
      const { chains } = this.#held(absorbed.allocator);
      chains.delete(absorbed);
      chains.add(chain);
    }
    return chain;
  }

  /** Chains, of which these are all rows. */
  #dissolve(rows: readonly Row[]): void {
    const chains = new Set(rows.map((row) => this.#chainAt(fieldsOf(row)[0])));
    const programs = new Set<string>();
    const gone = new Set<HeldRow>();
    for (const chain of chains) {
      for (const row of rowsOf(chain)) {
        gone.add(row);
        programs.add(row.fact.program);
      }
      for (const { field } of [...nodesOf(chain)]) this.#forget(field);
      if (chain.allocator !== undefined) this.#held(chain.allocator).chains.delete(chain);
    }
    assert(gone.size === rows.length, 'a chain dissolves whole');
    for (const program of programs) {
      const left = this.rowsOfProgram(program).filter((row) => !gone.has(row));
      if (left.length === 0) this.#programs.delete(program);
      else this.#programs.set(program, left);
    }
  }

  #nodeAt(field: Field): FieldNode {
    const fields = this.#maps.get(field.map) ?? new Map<string, FieldNode>();
    this.#maps.set(field.map, fields);
    const node = fields.get(field.field) ?? new FieldNode(field, this.#clock);
    fields.set(field.field, node);
    return node;
  }

  #forget({ map, field }: Field): void {
    const fields = this.#maps.get(map);
    fields?.delete(field);
    if (fields?.size === 0) this.#maps.delete(map);
  }

  #chainAt(field: Field): Chain {
    const chain = this.chain(field);
    assert(chain !== undefined, `${nameOf(field)} is in the table`);
    return chain;
  }

  #held(name: string): HeldAllocator {
    const allocator = this.#allocators.get(name);
    assert(allocator !== undefined, `allocator ${name} is in the table`);
    return allocator;
  }
}

/** As it is persisted. */
export function rowOf({ fact, discardable }: HeldRow): Row {
  return { ...fact, discardable };
}
