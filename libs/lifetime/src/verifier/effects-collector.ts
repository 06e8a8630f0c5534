import type { Effects, Field } from '../effects.js';
import type { Register } from '../program/instruction.js';
import { Refusal } from './refusal.js';
import { valueOf, type State } from './state.js';
import type { Observer } from './transfer.js';
import { formatField, type HandleValue, type Source } from './value.js';

/** The fields that one program makes equal, and the allocator that is known of them. */
interface FieldClass {
  allocator: string | undefined;
  readonly fields: Set<string>;
}

/**
 * Collects what a program may do to fields: rows S, E and U, each once, in the order in which they are found. The classes
 * are of this program alone; what others add is decided where all are known.
 */
export class EffectsCollector implements Observer {
  readonly #stores = new Map<string, Effects['stores'][number]>();
  readonly #moves = new Map<string, Effects['moves'][number]>();
  readonly #uses = new Map<string, Field>();
  readonly #classes = new Map<string, FieldClass>();
  readonly #freed = new Map<number, Map<string, Source>>();
  #instruction = 0;

  /** The instruction that is followed from now on, by its number in the linked list. */
  at(instruction: number): void {
    this.#instruction = instruction;
  }

  get effects(): Effects {
    return {
      stores: [...this.#stores.values()],
      moves: [...this.#moves.values()],
      uses: [...this.#uses.values()],
    };
  }

  /** What each `free` may free, by its number in the linked list. */
  get freed(): ReadonlyMap<number, ReadonlyMap<string, Source>> {
    return this.#freed;
  }

  used(field: Field): void {
    this.#uses.set(formatField(field), field);
  }

  /** @throws Refusal allocators-mixed */
  stored(value: HandleValue, into: Field, register: Register): void {
    for (const [name, source] of value.sources) {
      const row = `${name} ${formatField(into)}`;
      if (source.kind === 'allocator') {
        if (this.#stores.has(row)) continue;
        this.#bind(source.allocator, into, name, register);
        this.#stores.set(row, { allocator: source.allocator, into });
      } else if (name !== formatField(into) && !this.#moves.has(row)) {
        this.#equate(source.field, into, name, register);
        this.#moves.set(row, { from: source.field, to: into });
      }
    }
  }

  released(value: HandleValue): void {
    const sources = this.#freed.get(this.#instruction) ?? new Map<string, Source>();
    for (const [name, source] of value.sources) sources.set(name, source);
    this.#freed.set(this.#instruction, sources);
  }

  #bind(allocator: string, into: Field, name: string, register: Register): void {
    const found = this.#classOf(into);
    if (found.allocator !== undefined && found.allocator !== allocator) {
      throw mixed(found.allocator, allocator, found, into, name, register);
    }
    found.allocator = allocator;
  }

  #equate(from: Field, into: Field, name: string, register: Register): void {
    const [one, other] = [this.#classOf(into), this.#classOf(from)];
    if (one === other) return;
    if (one.allocator !== undefined && other.allocator !== undefined && one.allocator !== other.allocator) {
      throw mixed(one.allocator, other.allocator, one, into, name, register);
    }
    one.allocator ??= other.allocator;
    for (const field of other.fields) {
      one.fields.add(field);
      this.#classes.set(field, one);
    }
  }

  #classOf(field: Field): FieldClass {
    const name = formatField(field);
    const found = this.#classes.get(name) ?? { allocator: undefined, fields: new Set([name]) };
    this.#classes.set(name, found);
    return found;
  }
}

function mixed(
  known: string,
  other: string,
  { fields }: FieldClass,
  into: Field,
  source: string,
  register: Register,
): Refusal {
  const others = [...fields].filter((field) => field !== formatField(into));
  const equal = others.length === 0 ? '' : ` (as ${others.join(', ')})`;
  const message = `${formatField(into)}${equal} is filled from ${known}, and here from ${other}`;
  return new Refusal('allocators-mixed', message, [
    {
      says: `r${register} holds what comes from ${source}`,
      shows: (state: State) => {
        const value = valueOf(state, register);
        return value.kind === 'handle' && value.sources.has(source);
      },
    },
  ]);
}
