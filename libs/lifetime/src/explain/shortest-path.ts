import type { FieldNode } from '../table/field-forest.js';
import { rowOf } from '../table/table-state.js';
import type { Link } from './link.js';

export interface Path {
  /** The source that it begins at. */
  readonly from: FieldNode;
  /** The E rows on the way, then what was found at its end. */
  readonly links: readonly Link[];
}

/** How a node was reached: from where, over which E row. */
interface Arrival {
  readonly before: FieldNode;
  readonly over: Link;
}

/**
 * Breadth first, from several fields at once, along E rows in both directions, to the nearest at which something is found.
 * Costs up to the whole chain: it is for people who ask.
 */
export function shortestPath(
  sources: Iterable<FieldNode>,
  find: (node: FieldNode) => Link | undefined,
): Path | undefined {
  const arrivals = new Map<FieldNode, Arrival | undefined>();
  for (const source of sources) arrivals.set(source, undefined);
  // A Map is iterated in the order of insertion, and what is inserted meanwhile comes last: it is the queue.
  for (const node of arrivals.keys()) {
    const found = find(node);
    if (found !== undefined) return pathTo(node, found, arrivals);
    for (const row of node.rows) {
      const next = row.node === node ? row.other : row.node;
      if (next === undefined || arrivals.has(next)) continue;
      arrivals.set(next, { before: node, over: { kind: 'row', row: rowOf(row) } });
    }
  }
  return undefined;
}

function pathTo(end: FieldNode, found: Link, arrivals: ReadonlyMap<FieldNode, Arrival | undefined>): Path {
  const links = [found];
  let from = end;
  for (let arrival = arrivals.get(end); arrival !== undefined; arrival = arrivals.get(from)) {
    links.unshift(arrival.over);
    from = arrival.before;
  }
  return { from, links };
}
