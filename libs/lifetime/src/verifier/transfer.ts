import { unreachable } from '@holdfast/foundation';
import type { Field } from '../effects.js';
import type {
  ExchangeInstruction,
  FreeInstruction,
  IfInstruction,
  LoopInstruction,
  Operand,
  Place,
  Register,
} from '../program/instruction.js';
import type { Program } from '../program/program.js';
import { INNER_MAP, type Environment } from './environment.js';
import type { LinkedInstruction } from './link.js';
import { Refusal } from './refusal.js';
import { valueOf, withValue, type State } from './state.js';
import {
  formatField,
  formatValue,
  handleFrom,
  INTEGER,
  NULL,
  type HandleValue,
  type RegisterValue,
} from './value.js';

/** One way on from an instruction. */
export interface Edge {
  readonly to: number;
  readonly state: State;
  /** The words of a path, where there are two ways. */
  readonly took?: string;
}

/** Who is told what the instructions do. It may refuse. */
export interface Observer {
  used(field: Field): void;
  stored(value: HandleValue, into: Field, register: Register): void;
  released(value: HandleValue): void;
}

/** Follows single instructions of one program in one environment. */
export class Transfer {
  readonly #program: Program;
  readonly #environment: Environment;
  readonly #lineOf: (linked: number) => number;

  /** @param lineOf the line of a linked instruction */
  constructor(program: Program, environment: Environment, lineOf: (linked: number) => number) {
    this.#program = program;
    this.#environment = environment;
    this.#lineOf = lineOf;
  }

  /**
   * What an instruction makes of a state.
   *
   * @param number of the instruction, in the linked list
   * @throws Refusal
   */
  follow(linked: LinkedInstruction, number: number, state: State, observer: Observer): Edge[] {
    const { instruction, next } = linked;
    const on = (after: State): Edge[] => [{ to: next, state: after }];
    switch (instruction.op) {
      case 'argument':
        if (!this.#program.parameters.includes(instruction.parameter)) {
          throw new Refusal('unknown-argument', `the program has no argument ${instruction.parameter}`);
        }
        return on(this.#set(state, instruction.into, INTEGER));
      case 'add':
        this.#integer(state, instruction.left);
        this.#operand(state, instruction.right);
        return on(this.#set(state, instruction.into, INTEGER));
      case 'alloc': {
        const { allocator } = instruction;
        const type = this.#environment.allocators.get(allocator)?.type;
        if (type === undefined) throw new Refusal('unknown-allocator', `there is no allocator ${allocator}`);
        return on(this.#set(state, instruction.into, handleFrom({ kind: 'allocator', allocator }, type)));
      }
      case 'exchange':
        return on(this.#exchange(instruction, number, state, observer));
      case 'free':
        return on(this.#free(instruction, number, state, observer));
      case 'if':
        return this.#branch(instruction, linked, state);
      case 'loop':
        this.#operand(state, instruction.times);
        return on(state);
      case 'turn':
        return this.#turn(instruction.of, linked, state);
      case 'return':
        if (linked.location.step === undefined) checkLeaks(state);
        return on(state);
      case 'exit':
        checkLeaks(state);
        return [];
      case 'else':
      case 'end':
      case 'break':
      case 'call':
        return on(state);
      default:
        return unreachable(instruction);
    }
  }

  #exchange(instruction: ExchangeInstruction, number: number, state: State, observer: Observer): State {
    const { place, into, value } = instruction;
    const type = this.#typeAt(place, state);
    const field: Field = { map: place.map, field: place.field };
    let after = state;
    if (value !== null) {
      const held = this.#handle(state, value, 'use-after-release');
      if (held.kind === 'handle') {
        if (held.type !== type) {
          const message = `${formatField(field)} holds ${type}, and r${value} is ${formatValue(held)}`;
          throw new Refusal('type-mismatch', message);
        }
        observer.stored(held, field, value);
      }
      after = withValue(after, value, { kind: 'empty', releasedAt: number });
    }
    observer.used(field);
    return this.#set(after, into, handleFrom({ kind: 'field', field }, type));
  }

  #typeAt({ map, index, field }: Place, state: State): string {
    const found = this.#environment.maps.get(map);
    if (found === undefined) throw new Refusal('unknown-map', `there is no map ${map}`);
    const type = found.fields.get(field)?.type;
    if (type === undefined) throw new Refusal('unknown-field', `the map ${map} has no field ${field}`);
    if (type === INNER_MAP) {
      throw new Refusal('inner-map-field', `${map}.${field} holds a map, and no handle`);
    }
    this.#operand(state, index);
    if (index.kind === 'constant' && index.value >= found.entries) {
      throw new Refusal(
        'index-out-of-range',
        `${map} has ${found.entries} entries, none of them is ${index.value}`,
      );
    }
    return type;
  }

  #free({ register }: FreeInstruction, number: number, state: State, observer: Observer): State {
    const held = this.#handle(state, register, 'double-free');
    if (held.kind === 'null' || held.nullable) {
      throw new Refusal('null-free', `r${register} is ${formatValue(held)}`);
    }
    observer.released(held);
    return withValue(state, register, { kind: 'empty', releasedAt: number });
  }

  #branch({ register, is }: IfInstruction, linked: LinkedInstruction, state: State): Edge[] {
    const held = this.#handle(state, register, 'use-after-release');
    const way = (isNull: boolean): Edge => {
      const value: RegisterValue = held.kind === 'handle' && !isNull ? { ...held, nullable: false } : NULL;
      return {
        to: (is === 'null') === isNull ? linked.next : (linked.otherwise ?? linked.next),
        state: withValue(state, register, value),
        took: `r${register} is ${isNull ? 'null' : 'not null'}`,
      };
    };
    if (held.kind === 'null') return [way(true)];
    return held.nullable ? [way(true), way(false)] : [way(false)];
  }

  #turn({ counter }: LoopInstruction, { next, otherwise }: LinkedInstruction, state: State): Edge[] {
    const after = this.#set(state, counter, INTEGER);
    return [
      { to: next, state: after, took: 'the loop turns' },
      { to: otherwise ?? next, state: after, took: 'the loop is over' },
    ];
  }

  #set(state: State, register: Register, value: RegisterValue): State {
    const before = valueOf(state, register);
    if (before.kind === 'handle') {
      throw new Refusal('overwritten-handle', `r${register} holds ${formatValue(before)}`);
    }
    return withValue(state, register, value);
  }

  #operand(state: State, operand: Operand): void {
    if (operand.kind === 'register') this.#integer(state, operand.register);
  }

  #integer(state: State, register: Register): void {
    const value = valueOf(state, register);
    if (value.kind === 'empty') throw this.#nothingIn(register, value.releasedAt, 'use-after-release');
    if (value.kind !== 'integer') {
      throw new Refusal('type-mismatch', `r${register} is ${formatValue(value)}, and no integer`);
    }
  }

  #handle(
    state: State,
    register: Register,
    afterRelease: 'use-after-release' | 'double-free',
  ): Extract<RegisterValue, { kind: 'handle' | 'null' }> {
    const value = valueOf(state, register);
    if (value.kind === 'empty') throw this.#nothingIn(register, value.releasedAt, afterRelease);
    if (value.kind === 'integer')
      throw new Refusal('type-mismatch', `r${register} is an integer, and no handle`);
    return value;
  }

  #nothingIn(
    register: Register,
    releasedAt: number | undefined,
    afterRelease: 'use-after-release' | 'double-free',
  ): Refusal {
    return releasedAt === undefined
      ? new Refusal('unset-register', `r${register} holds nothing`)
      : new Refusal(afterRelease, `r${register} was given away in line ${this.#lineOf(releasedAt)}`);
  }
}

function checkLeaks(state: State): void {
  const register = state.findIndex(({ kind }) => kind === 'handle');
  if (register < 0) return;
  throw new Refusal('leaked-handle', `r${register} holds ${formatValue(valueOf(state, register))}`);
}
