import { LOG_LINES_MAX } from '../program/limits.js';
import { printInstruction } from '../program/print.js';
import type { EffectsCollector } from './effects-collector.js';
import type { LinkedInstruction } from './link.js';
import { formatState, type State } from './state.js';
import { formatField } from './value.js';

/** The instruction of a linked list as a line of the text. */
export function textOf({ instruction }: LinkedInstruction): string {
  if (instruction.op === 'exit') return '}';
  return printInstruction(instruction.op === 'turn' ? instruction.of : instruction);
}

/**
 * What the verifier knew in front of each instruction, each time that it came by: number in the linked list, line,
 * instruction, registers.
 */
export class VerifierLog {
  readonly lines: string[] = [];
  readonly #code: readonly LinkedInstruction[];

  constructor(code: readonly LinkedInstruction[]) {
    this.#code = code;
  }

  evaluated(instruction: number, before: State): void {
    const linked = this.#code[instruction];
    if (linked === undefined) return;
    const state = formatState(before);
    const text = `${instruction}: (line ${linked.location.line}) ${linked.instruction.op === 'turn' ? 'the next turn' : textOf(linked)}`;
    this.#write(state === '' ? text : `${text.padEnd(50)} ; ${state}`);
  }

  ended({ effects, freed }: EffectsCollector, evaluations: number): void {
    for (const { allocator, into } of effects.stores) this.#write(`S ${allocator} -> ${formatField(into)}`);
    for (const { from, to } of effects.moves) this.#write(`E ${formatField(from)} = ${formatField(to)}`);
    for (const field of effects.uses) this.#write(`U ${formatField(field)}`);
    for (const [instruction, sources] of freed) {
      this.#write(`free at ${instruction}: ${[...sources.keys()].join(', ')}`);
    }
    this.#write(`${evaluations} instructions evaluated, ${this.#code.length} in the program`);
  }

  #write(line: string): void {
    if (this.lines.length < LOG_LINES_MAX) this.lines.push(line);
    else if (this.lines.length === LOG_LINES_MAX) this.lines.push('the log ends here: it is full');
  }
}
