import { EVALUATIONS_MAX } from '../program/limits.js';
import { EffectsCollector } from './effects-collector.js';
import { LocatedRefusal, type LinkedInstruction } from './link.js';
import { Refusal } from './refusal.js';
import { INITIAL_STATE, joinStates, type State } from './state.js';
import type { Edge, Transfer } from './transfer.js';

/** A refusal at one instruction of the linked list: by what it does, or by what comes together in front of it. */
export class InstructionRefusal extends LocatedRefusal {
  readonly instruction: number;
  readonly when: 'followed' | 'joined';

  constructor(refusal: Refusal, linked: LinkedInstruction, instruction: number, when: 'followed' | 'joined') {
    super(refusal, linked.location);
    this.instruction = instruction;
    this.when = when;
  }
}

/** Is told each evaluation, for the log. */
export type Trace = (instruction: number, before: State) => void;

/**
 * Finds what is known in front of every instruction, on all paths at once: states that meet are joined, and what a join
 * changes is followed again until nothing changes (Kildall's algorithm). Instructions with small numbers come first, so
 * an inner loop is settled before what is behind it; only the `end` of a loop leads back.
 */
export class Analysis {
  readonly collector = new EffectsCollector();
  readonly #code: readonly LinkedInstruction[];
  readonly #transfer: Transfer;
  readonly #states: (State | undefined)[];
  readonly #pending: Uint8Array;
  #cursor = 0;
  #evaluations = 0;

  constructor(code: readonly LinkedInstruction[], transfer: Transfer) {
    this.#code = code;
    this.#transfer = transfer;
    this.#states = code.map(() => undefined);
    this.#pending = new Uint8Array(code.length);
  }

  get evaluations(): number {
    return this.#evaluations;
  }

  /** @throws InstructionRefusal */
  run(trace?: Trace): void {
    this.#arrive({ to: 0, state: INITIAL_STATE });
    while (this.#cursor < this.#code.length) {
      const instruction = this.#cursor++;
      const linked = this.#code[instruction];
      const before = this.#states[instruction];
      if (this.#pending[instruction] === 0 || linked === undefined || before === undefined) continue;
      this.#pending[instruction] = 0;
      this.#evaluations += 1;
      trace?.(instruction, before);
      for (const edge of this.#follow(linked, instruction, before)) this.#arrive(edge);
    }
  }

  #follow(linked: LinkedInstruction, instruction: number, before: State): Edge[] {
    try {
      if (this.#evaluations > EVALUATIONS_MAX) {
        throw new Refusal('analysis-limit', `it is not done after ${EVALUATIONS_MAX} instructions`);
      }
      this.collector.at(instruction);
      return this.#transfer.follow(linked, instruction, before, this.collector);
    } catch (error) {
      throw error instanceof Refusal ? new InstructionRefusal(error, linked, instruction, 'followed') : error;
    }
  }

  #arrive({ to, state }: Edge): void {
    const known = this.#states[to];
    const joined = known === undefined ? state : this.#join(to, known, state);
    if (joined === known) return;
    this.#states[to] = joined;
    this.#pending[to] = 1;
    this.#cursor = Math.min(this.#cursor, to);
  }

  #join(to: number, known: State, state: State): State {
    try {
      return joinStates(known, state);
    } catch (error) {
      const linked = this.#code[to];
      if (!(error instanceof Refusal) || linked === undefined) throw error;
      throw new InstructionRefusal(error, linked, to, 'joined');
    }
  }
}
