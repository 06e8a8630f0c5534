import type { Field } from '../effects.js';
import type { IsEmpty } from '../table/change.js';
import { chainOf, nodesOf, type Chain, type FieldNode, type HeldRow } from '../table/field-forest.js';
import { nameOf } from '../table/row.js';
import { rowOf, type TableState } from '../table/table-state.js';
import { wordsFor, type Link } from './link.js';
import { shortestPath } from './shortest-path.js';

/** Why something is as it is: one link leads to the next, and none can be left out. */
export interface Explanation {
  /** What it is about: `allocator A`, `field M.f`. */
  readonly subject: string;
  readonly links: readonly Link[];
  /** The same for people: a sentence for each link. */
  readonly words: readonly string[];
}

/** The shortest chain of rows and values that keeps an allocator. */
export function whyAlive(state: TableState, name: string, isEmpty: IsEmpty): Explanation {
  return explanation(`allocator ${name}`, linksToAllocator(state, name, isEmpty));
}

/** What binds a field to its allocator, and what keeps that from being given up. */
export function whyBound(state: TableState, field: Field, isEmpty: IsEmpty): Explanation {
  const subject = `field ${nameOf(field)}`;
  const node = state.node(field);
  if (node === undefined) return explanation(subject, [{ kind: 'free', field }]);
  if (chainOf(node).allocator === undefined) return explanation(subject, [{ kind: 'placeholder', field }]);
  const binding = shortestPath([node], storingRow)?.links ?? [];
  const holding = shortestPath([node], (at) => holderOf(at, isEmpty))?.links ?? [unwalked(node)];
  const told = new Set(binding.map(wordsFor));
  return explanation(subject, [...binding, ...holding.filter((link) => !told.has(wordsFor(link)))]);
}

/** The same for each field of a map that some row names. */
export function whyMap(state: TableState, map: string, isEmpty: IsEmpty): Explanation[] {
  return Array.from(state.nodesOfMap(map), ({ field }) => whyBound(state, field, isEmpty));
}

function linksToAllocator(state: TableState, name: string, isEmpty: IsEmpty): Link[] {
  const held = state.allocator(name);
  if (held === undefined) return [{ kind: 'absent', allocator: name }];
  const stores = [...held.chains].flatMap(storingRows);
  const live = stores.find(({ discardable }) => !discardable);
  if (live !== undefined) return [rowLink(live)];
  const byNode = new Map(stores.map((row) => [row.node, row]));
  const path = shortestPath(byNode.keys(), (node) => holderOf(node, isEmpty));
  const first = path === undefined ? stores[0] : byNode.get(path.from);
  if (first === undefined) return [{ kind: 'unasked', allocator: name }];
  return [rowLink(first), ...(path?.links ?? [unwalked(first.node)])];
}

function storingRows(chain: Chain): HeldRow[] {
  return [...nodesOf(chain)].flatMap(({ rows }) => rows.filter(({ fact }) => fact.kind === 'stores'));
}

/** The row that binds a field by itself; one of a loaded program rather than another. */
function storingRow({ rows }: FieldNode): Link | undefined {
  const storing = rows.filter(({ fact }) => fact.kind === 'stores');
  const row = storing.find(({ discardable }) => !discardable) ?? storing[0];
  return row === undefined ? undefined : rowLink(row);
}

/** What keeps a chain at one of its fields: a loaded program, or a value. */
function holderOf(node: FieldNode, isEmpty: IsEmpty): Link | undefined {
  const row = node.rows.find(({ discardable }) => !discardable);
  if (row !== undefined) return rowLink(row);
  return isEmpty(node.field) ? undefined : { kind: 'value', field: node.field };
}

function unwalked({ field }: FieldNode): Link {
  return { kind: 'unwalked', field };
}

function rowLink(row: HeldRow): Link {
  return { kind: 'row', row: rowOf(row) };
}

function explanation(subject: string, links: readonly Link[]): Explanation {
  return { subject, links, words: links.map(wordsFor) };
}
