import type { Effects, Field } from '../effects.js';
import type { ChainView } from '../table/chain-view.js';
import type { AuditRecord } from './trail.js';

/** A row, as the checker writes it down: what it connects. */
interface Edge {
  readonly key: string;
  readonly program: string;
  readonly fields: readonly Field[];
  readonly allocator: string | undefined;
  isLive: boolean;
}

/** A connected component of edges. */
interface Component {
  readonly edges: Edge[];
  readonly fields: Map<string, Field>;
}

/**
 * Replays a trail and says where it would have decided otherwise. It stands outside the table: a flat list of edges, searched
 * from scratch at every operation, and nothing in common with the table but types. Slow on purpose.
 */
export class Checker {
  #edges: Edge[] = [];
  /** Whether the destruction of each was asked for. */
  readonly #allocators = new Map<string, boolean>();

  /** @returns what is wrong with the record; nothing, if the table is right */
  replay({ operation, observed, rejection, destroyed }: AuditRecord): string[] {
    switch (operation.kind) {
      case 'create-allocator': {
        const exists = this.#allocators.has(operation.allocator);
        if (!exists) this.#allocators.set(operation.allocator, false);
        return [...differs(exists, rejection), ...this.#destroys(destroyed)];
      }
      case 'load': {
        if (rejection === 'too-many-rows') return [];
        const edges = this.#with(operation.program, operation.effects);
        const isWrong =
          this.#edges.some(({ program, isLive }) => isLive && program === operation.program) ||
          operation.effects.stores.some(({ allocator }) => this.#allocators.get(allocator) !== false) ||
          components(edges).some(({ edges: some }) => allocatorsOf(some).length > 1);
        if (!isWrong) this.#edges = edges;
        return [...differs(isWrong, rejection), ...this.#destroys(destroyed)];
      }
      case 'unload': {
        const own = this.#edges.filter(({ program, isLive }) => isLive && program === operation.program);
        const maps = new Set(own.flatMap(({ fields }) => fields.map(({ map }) => map)));
        for (const edge of own) edge.isLive = false;
        return [...this.#walks(maps, observed), ...this.#destroys(destroyed)];
      }
      case 'free-map': {
        const freed = new Set([operation.map]);
        return [...this.#walks(freed, observed, operation.map), ...this.#destroys(destroyed)];
      }
      case 'destroy-allocator':
        if (this.#allocators.has(operation.allocator)) this.#allocators.set(operation.allocator, true);
        return this.#destroys(destroyed);
    }
  }

  /** What the table should hold now. */
  chains(): ChainView[] {
    const views = components(this.#edges).map(({ edges, fields }) => ({
      fields: [...fields.keys()].sort(),
      allocator: allocatorsOf(edges)[0],
      liveRows: edges.filter(({ isLive }) => isLive).length,
    }));
    return views.sort((one, other) => ((one.fields[0] ?? '') < (other.fields[0] ?? '') ? -1 : 1));
  }

  allocators(): string[] {
    return [...this.#allocators.keys()];
  }

  #with(program: string, { stores, moves, uses }: Effects): Edge[] {
    const added = new Map(this.#edges.map((edge) => [edge.key, { ...edge }]));
    const add = (kind: string, fields: readonly Field[], allocator?: string): void => {
      const key = JSON.stringify([program, kind, fields.map(name), allocator]);
      added.set(key, { key, program, fields, allocator, isLive: true });
    };
    for (const { allocator, into } of stores) add('S', [into], allocator);
    for (const { from, to } of moves) add('E', [from, to]);
    for (const field of uses) add('U', [field]);
    return [...added.values()];
  }

  /** Removes the components at these maps which nobody needs and in which everything was seen to be empty. */
  #walks(maps: ReadonlySet<string>, observed: AuditRecord['observed'], freed?: string): string[] {
    const seen = new Map(observed.map(({ field, isEmpty }) => [name(field), isEmpty]));
    const findings: string[] = [];
    for (const { edges, fields } of components(this.#edges)) {
      const all = [...fields.values()];
      if (edges.some(({ isLive }) => isLive) || !all.some(({ map }) => maps.has(map))) continue;
      const asked = all.filter(({ map }) => map !== freed).map(name);
      if (asked.some((field) => seen.get(field) === false)) continue;
      findings.push(...asked.filter((field) => !seen.has(field)).map((field) => `${field} was not walked`));
      this.#edges = this.#edges.filter((edge) => !edges.includes(edge));
    }
    return findings;
  }

  #destroys(destroyed: readonly string[]): string[] {
    const named = new Set(this.#edges.map(({ allocator }) => allocator));
    const due = [...this.#allocators].filter(([allocator, isAsked]) => isAsked && !named.has(allocator));
    for (const [allocator] of due) this.#allocators.delete(allocator);
    const expected = due.map(([allocator]) => allocator);
    return [
      ...expected.filter((one) => !destroyed.includes(one)).map((one) => `${one} was not destroyed`),
      ...destroyed.filter((one) => !expected.includes(one)).map((one) => `${one} was destroyed too early`),
    ];
  }
}

function components(edges: readonly Edge[]): Component[] {
  const left = new Set(edges);
  const found: Component[] = [];
  for (const seed of left) {
    const component: Component = { edges: [seed], fields: new Map() };
    left.delete(seed);
    for (const edge of component.edges) {
      for (const field of edge.fields) component.fields.set(name(field), field);
      for (const other of left) {
        if (!other.fields.some((field) => component.fields.has(name(field)))) continue;
        left.delete(other);
        component.edges.push(other);
      }
    }
    found.push(component);
  }
  return found;
}

function allocatorsOf(edges: readonly Edge[]): string[] {
  return [...new Set(edges.flatMap(({ allocator }) => allocator ?? []))];
}

function differs(isWrong: boolean, rejection: string | undefined): string[] {
  if (isWrong === (rejection !== undefined)) return [];
  return [
    isWrong ? 'accepted, and should be rejected' : `rejected (${String(rejection)}), and should be accepted`,
  ];
}

function name({ map, field }: Field): string {
  return `${map}.${field}`;
}
