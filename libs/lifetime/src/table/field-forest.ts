import { assert } from '@holdfast/foundation';
import type { Field } from '../effects.js';
import type { Fact } from './row.js';

/** A row in memory. */
export interface HeldRow {
  readonly fact: Fact;
  /** The node of its first field: the way to its chain. */
  readonly node: FieldNode;
  /** That of the field which an E row makes equal to the first. */
  readonly other: FieldNode | undefined;
  discardable: boolean;
}

/**
 * A field that some row names: a node of a union-find forest (union by size, path halving), and a link of the ring of all
 * fields of its class. Joining two rings is one exchange of links, so a union costs the same however large the classes are.
 */
export class FieldNode {
  /** Rows that name this field. */
  readonly rows: HeldRow[] = [];
  parent: FieldNode | undefined = undefined;
  next: FieldNode = this;
  /** Of the whole class; present at its root only. */
  chain: Chain | undefined;

  /** A class of one field, with a placeholder. */
  constructor(
    readonly field: Field,
    version: number,
  ) {
    this.chain = {
      root: this,
      fieldCount: 1,
      liveRows: 0,
      allocator: undefined,
      version,
      witness: undefined,
    };
  }
}

/**
 * A class of fields whose allocators are equal, with all rows that name them. Chains are made by rows and dissolved whole,
 * never split: so the forest needs no deletion from within a class.
 */
export interface Chain {
  readonly root: FieldNode;
  fieldCount: number;
  /** Rows that are not discardable. At zero the chain may be walked. */
  liveRows: number;
  /** Undefined is a placeholder: no S row has made it concrete yet. */
  allocator: string | undefined;
  /** When it was changed last, by the clock of the table. */
  version: number;
  /** The field that was not empty when the chain was walked last: looked at first the next time. */
  witness: FieldNode | undefined;
}

/** The chain of a field. */
export function chainOf(node: FieldNode): Chain {
  let at = node;
  while (at.parent !== undefined) {
    if (at.parent.parent !== undefined) at.parent = at.parent.parent;
    at = at.parent;
  }
  assert(at.chain !== undefined, 'the root of a class has its chain');
  return at.chain;
}

/**
 * Makes one chain of two. A placeholder takes the allocator of the other: with that it is concrete for every field of the
 * class. That two allocators meet was ruled out before.
 *
 * @returns the chain that is left, and the one that has become part of it, if they were two
 */
export function unite(one: Chain, other: Chain): { chain: Chain; absorbed?: Chain } {
  if (one === other) return { chain: one };
  const [chain, absorbed] = one.fieldCount >= other.fieldCount ? [one, other] : [other, one];
  absorbed.root.parent = chain.root;
  absorbed.root.chain = undefined;
  [chain.root.next, absorbed.root.next] = [absorbed.root.next, chain.root.next];
  chain.fieldCount += absorbed.fieldCount;
  chain.liveRows += absorbed.liveRows;
  chain.allocator ??= absorbed.allocator;
  chain.witness ??= absorbed.witness;
  return { chain, absorbed };
}

/** Every field of a chain, once. */
export function* nodesOf(chain: Chain): Generator<FieldNode, void> {
  let node = chain.root;
  do {
    yield node;
    node = node.next;
  } while (node !== chain.root);
}

/** Every row of a chain, once: one that names two fields is found at the first. */
export function* rowsOf(chain: Chain): Generator<HeldRow, void> {
  for (const node of nodesOf(chain)) for (const row of node.rows) if (row.node === node) yield row;
}
