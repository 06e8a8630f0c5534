import { assert } from '@holdfast/foundation';
import type { Operand, Register } from '../program/instruction.js';
import type { Source } from '../verifier/value.js';
import { formatHandle, type Handle } from './heap.js';

/** A handle in a register, and where this run has it from. */
export interface Held {
  readonly handle: Handle;
  readonly source: Source;
}

type Content = 'nothing' | null | number | Held;

/**
 * The registers of a run. Each promise that the verifier gave is kept here a second time: to break one is a bug of ours,
 * and ends the run.
 */
export class Registers {
  readonly #contents = new Map<Register, Content>();

  setInteger(register: Register, value: number): void {
    this.#set(register, value);
  }

  setHandle(register: Register, handle: Handle | null, source: Source): void {
    this.#set(register, handle === null ? null : { handle, source });
  }

  integer(operand: Operand): number {
    if (operand.kind === 'constant') return operand.value;
    const content = this.#contents.get(operand.register);
    assert(typeof content === 'number', `the verifier let a program read r${operand.register} as an integer`);
    return content;
  }

  /** Looks at a handle, or null. */
  handle(register: Register): Held | null {
    const content = this.#contents.get(register) ?? (this.#contents.has(register) ? null : 'nothing');
    assert(
      content !== 'nothing' && typeof content !== 'number',
      `the verifier let a program read r${register} as a handle`,
    );
    return content;
  }

  /** Takes a handle out; the register holds nothing afterwards. */
  take(register: Register): Held | null {
    const held = this.handle(register);
    this.#contents.delete(register);
    return held;
  }

  /** At the end of a run nothing may be left. */
  assertNothingHeld(): void {
    for (const register of this.#contents.keys()) this.#assertFree(register, 'keep');
  }

  #set(register: Register, content: Content): void {
    this.#assertFree(register, 'overwrite');
    this.#contents.set(register, content);
  }

  #assertFree(register: Register, what: string): void {
    const content = this.#contents.get(register);
    if (typeof content !== 'object' || content === null) return;
    assert(false, `the verifier let a program ${what} ${formatHandle(content.handle)} in r${register}`);
  }
}
