import { assert, unreachable } from '@holdfast/foundation';
import type {
  ExchangeInstruction,
  FreeInstruction,
  IfInstruction,
  LoopInstruction,
} from '../program/instruction.js';
import { INTEGER_MAX, RUN_INSTRUCTIONS_MAX } from '../program/limits.js';
import type { LinkedInstruction } from '../verifier/link.js';
import { formatSource } from '../verifier/value.js';
import type { VerifiedProgram } from '../verifier/verified-program.js';
import type { Fault } from './fault.js';
import type { Heap } from './heap.js';
import { OwnerCheck, Stop } from './owner-check.js';
import { Registers } from './registers.js';

export type RunOutcome =
  | { readonly outcome: 'finished'; readonly instructions: number }
  | { readonly outcome: 'faulted'; readonly instructions: number; readonly fault: Fault };

/**
 * Runs a program to its end, or to a fault, in one go. What a run that faulted has done to the heap must not become true:
 * give it a `BufferedHeap`, and keep its changes only when the run has finished.
 *
 * @param values of the arguments, by name: integers from 0 to 2^32−1
 */
export function runProgram(
  program: VerifiedProgram,
  values: Readonly<Record<string, number>>,
  heap: Heap,
): RunOutcome {
  return new Run(program, values, heap).outcome();
}

class Run {
  readonly #verified: VerifiedProgram;
  readonly #values: Readonly<Record<string, number>>;
  readonly #heap: Heap;
  readonly #owners: OwnerCheck;
  readonly #registers = new Registers();
  /** The turns of each loop that runs, by the number of its `turn`. */
  readonly #turns = new Map<number, { turn: number; readonly times: number }>();
  readonly #freeSites: ReadonlyMap<number, ReadonlySet<string>>;
  #instructions = 0;
  #at = 0;

  constructor(verified: VerifiedProgram, values: Readonly<Record<string, number>>, heap: Heap) {
    this.#verified = verified;
    this.#values = values;
    this.#heap = heap;
    this.#owners = new OwnerCheck(heap);
    this.#freeSites = new Map(
      verified.freeSites.map(({ linked, sources }) => [linked, new Set(sources.map(formatSource))]),
    );
  }

  outcome(): RunOutcome {
    const fault = this.#badArgument() ?? this.#execute();
    return fault === undefined
      ? { outcome: 'finished', instructions: this.#instructions }
      : { outcome: 'faulted', instructions: this.#instructions, fault };
  }

  #badArgument(): Fault | undefined {
    const { parameters } = this.#verified.program;
    const missing = parameters.find((name) => !Object.hasOwn(this.#values, name));
    const unknown = Object.keys(this.#values).find((name) => !parameters.includes(name));
    const wrong = parameters.find((name) => {
      const value = this.#values[name];
      return !Number.isInteger(value) || value === undefined || value < 0 || value > INTEGER_MAX;
    });
    const message =
      missing !== undefined
        ? `the argument ${missing} is missing`
        : unknown !== undefined
          ? `the program has no argument ${JSON.stringify(unknown.slice(0, 80))}`
          : wrong !== undefined
            ? `the argument ${wrong} is no integer from 0 to ${INTEGER_MAX}`
            : undefined;
    return message === undefined ? undefined : { kind: 'bad-argument', location: undefined, message };
  }

  #execute(): Fault | undefined {
    try {
      for (let linked = this.#current(); linked.instruction.op !== 'exit'; linked = this.#current()) {
        if (this.#instructions === RUN_INSTRUCTIONS_MAX) {
          throw new Stop('run-limit', `it is not done after ${RUN_INSTRUCTIONS_MAX} instructions`);
        }
        this.#instructions += 1;
        this.#at = this.#step(linked);
      }
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return { kind: error.kind, location: this.#current().location, message: error.message };
    }
    this.#registers.assertNothingHeld();
    return undefined;
  }

  #current(): LinkedInstruction {
    const linked = this.#verified.code[this.#at];
    assert(linked !== undefined, 'a run stays within its program');
    return linked;
  }

  /** Executes one instruction, and returns the number of the next. */
  #step(linked: LinkedInstruction): number {
    const { instruction, next, otherwise } = linked;
    switch (instruction.op) {
      case 'argument':
        this.#registers.setInteger(instruction.into, this.#values[instruction.parameter] ?? 0);
        return next;
      case 'add': {
        const left = this.#registers.integer({ kind: 'register', register: instruction.left });
        const sum = left + this.#registers.integer(instruction.right);
        if (sum > INTEGER_MAX)
          throw new Stop('integer-overflow', `the sum ${sum} is more than ${INTEGER_MAX}`);
        this.#registers.setInteger(instruction.into, sum);
        return next;
      }
      case 'alloc': {
        const { into, allocator } = instruction;
        const handle = this.#heap.alloc(allocator);
        if (handle !== null) this.#owners.allocated(handle, allocator);
        this.#registers.setHandle(into, handle, { kind: 'allocator', allocator });
        return next;
      }
      case 'exchange':
        this.#exchange(instruction);
        return next;
      case 'free':
        this.#free(instruction);
        return next;
      case 'if':
        return this.#holds(instruction) ? next : (otherwise ?? next);
      case 'loop':
        this.#begin(instruction, next);
        return next;
      case 'turn':
        return this.#turn(instruction.of, linked);
      case 'else':
      case 'end':
      case 'break':
      case 'return':
      case 'call':
      case 'exit':
        return next;
      default:
        return unreachable(instruction);
    }
  }

  #exchange({ into, place: { map, index, field }, value }: ExchangeInstruction): void {
    const number = this.#registers.integer(index);
    const entries = this.#verified.entries.get(map) ?? 0;
    if (number >= entries) {
      throw new Stop('index-out-of-range', `${map} has ${entries} entries, none of them is ${number}`);
    }
    const stored = value === null ? null : (this.#registers.take(value)?.handle ?? null);
    if (stored !== null) this.#owners.inField(stored, { map, field });
    const taken = this.#heap.exchange({ map, field, index: number }, stored);
    if (taken !== null) this.#owners.inField(taken, { map, field });
    this.#registers.setHandle(into, taken, { kind: 'field', field: { map, field } });
  }

  #free({ register }: FreeInstruction): void {
    const held = this.#registers.take(register);
    assert(held !== null, `the verifier let a program free null in r${register}`);
    const site = this.#freeSites.get(this.#at);
    assert(site?.has(formatSource(held.source)) === true, 'the verifier knows every source of a free site');
    this.#owners.freed(held.handle, held.source);
    this.#heap.free(held.handle);
  }

  #holds({ register, is }: IfInstruction): boolean {
    return (this.#registers.handle(register) === null) === (is === 'null');
  }

  /** The number of turns is read once, and may change in the loop. */
  #begin({ times }: LoopInstruction, turn: number): void {
    const count = this.#registers.integer(times);
    if (times.kind === 'register' && count > times.atMost) {
      throw new Stop(
        'loop-bound',
        `the loop would turn ${count} times, and may ${times.atMost} times at most`,
      );
    }
    this.#turns.set(turn, { turn: 0, times: count });
  }

  #turn({ counter }: LoopInstruction, { next, otherwise }: LinkedInstruction): number {
    const turns = this.#turns.get(this.#at);
    assert(turns !== undefined, 'a loop turns after it has begun');
    this.#registers.setInteger(counter, turns.turn);
    turns.turn += 1;
    return turns.turn <= turns.times ? next : (otherwise ?? next);
  }
}
