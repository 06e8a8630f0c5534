import { keyOf, nameOf, type Row } from '../table/row.js';
import type { AllocatorRecord } from '../table/change.js';

/** A node of the graph of a table: an allocator, or a field. */
export interface GraphNode {
  readonly id: string;
  readonly kind: 'allocator' | 'field';
  readonly label: string;
  /** Of an allocator: its destruction was asked for. */
  readonly isDraining: boolean;
}

/** A row: an S row leads from an allocator to a field, an E row from field to field, a U row from a field to itself. */
export interface GraphEdge {
  readonly id: string;
  readonly kind: Row['kind'];
  readonly from: string;
  readonly to: string;
  readonly program: string;
  readonly isDiscardable: boolean;
}

export interface TableGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The whole table, or the part of it that `rows` are. Sorted, so that equal tables give equal graphs. */
export function graphOf(records: {
  readonly allocators: Iterable<AllocatorRecord>;
  readonly rows: Iterable<Row>;
}): TableGraph {
  const nodes = new Map<string, GraphNode>();
  for (const { name, state } of records.allocators) {
    const id = `allocator ${name}`;
    nodes.set(id, { id, kind: 'allocator', label: name, isDraining: state === 'DRAINING' });
  }
  const edges = Array.from(records.rows, edgeOf);
  for (const { from, to, kind } of edges) {
    for (const id of kind === 'stores' ? [to] : [from, to])
      nodes.set(id, { id, kind: 'field', label: id.slice('field '.length), isDraining: false });
  }
  return { nodes: [...nodes.values()].sort(byId), edges: edges.sort(byId) };
}

/** The graph in the language of Graphviz. What belongs to a program that is unloaded is dashed. */
export function toDot({ nodes, edges }: TableGraph): string {
  const lines = [
    ...nodes.map(({ id, kind, label, isDraining }) => {
      const shape = kind === 'allocator' ? 'box' : 'ellipse';
      return `  ${quote(id)} [shape=${shape}, label=${quote(label)}${isDraining ? ', style=dashed' : ''}];`;
    }),
    ...edges.map(({ from, to, kind, program, isDiscardable }) => {
      const style = `${isDiscardable ? ', style=dashed' : ''}${kind === 'moves' ? ', dir=both' : ''}`;
      return `  ${quote(from)} -> ${quote(to)} [label=${quote(`${kind}: ${program}`)}${style}];`;
    }),
  ];
  return ['digraph table {', ...lines, '}', ''].join('\n');
}

function edgeOf(row: Row): GraphEdge {
  const { kind, program, discardable } = row;
  const ends = { id: keyOf(row), kind, program, isDiscardable: discardable };
  if (row.kind === 'moves')
    return { ...ends, from: `field ${nameOf(row.from)}`, to: `field ${nameOf(row.to)}` };
  const to = `field ${nameOf(row.field)}`;
  return { ...ends, from: row.kind === 'stores' ? `allocator ${row.allocator}` : to, to };
}

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
