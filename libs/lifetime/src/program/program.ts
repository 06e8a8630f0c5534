import type { Instruction } from './instruction.js';
import { NAME_BYTES_MAX } from './limits.js';

/** A named list of instructions that the program calls. */
export interface Step {
  readonly name: string;
  readonly body: readonly Instruction[];
}

/** A program as plain data: what a text is parsed to, what a message of the API is decoded to. */
export interface Program {
  readonly name: string;
  /** Names of its integer arguments. */
  readonly parameters: readonly string[];
  readonly body: readonly Instruction[];
  readonly steps: readonly Step[];
}

/**
 * The line of each instruction, from 1, and as one more the line of the brace that closes the body: of the program, and
 * of each step in the order of {@link Program.steps}.
 */
export interface SourceLines {
  readonly body: readonly number[];
  readonly steps: readonly (readonly number[])[];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Whether programs can name it: a letter, then letters, digits, `_` and `-`, 63 in all. */
export function isProgramName(text: string): boolean {
  return text.length <= NAME_BYTES_MAX && NAME.test(text);
}
