import type { ExchangeInstruction, Instruction, LoopTimes, Operand, Place, Register } from './instruction.js';
import { TokenParser } from './token-parser.js';

/** Reads instructions; blocks are told by the words that open and close them. */
export class InstructionParser extends TokenParser {
  /** @param open the blocks around it, the innermost last: only an `if` has an `else` */
  protected instruction(open: readonly ('if' | 'else' | 'loop')[]): Instruction {
    if (this.at('}')) return this.#closing(open.at(-1) === 'if');
    if (this.isRegister()) return this.#assignment();
    const word = this.choice(['free', 'if', 'loop', 'break', 'call', 'return'], 'an instruction');
    switch (word) {
      case 'free':
        return { op: 'free', register: this.register() };
      case 'if':
        return this.#branch();
      case 'loop':
        return this.#loop();
      case 'call':
        return { op: 'call', step: this.name('the name of a step') };
      case 'break':
      case 'return':
        return { op: word };
    }
  }

  #closing(mayElse: boolean): Instruction {
    this.sign('}');
    if (!mayElse || !this.at('else')) return { op: 'end' };
    this.keyword('else');
    this.sign('{');
    return { op: 'else' };
  }

  #assignment(): Instruction {
    const into = this.register();
    this.sign('=');
    if (this.isRegister()) {
      const left = this.register();
      this.sign('+');
      return { op: 'add', into, left, right: this.#operand('a register or a number') };
    }
    switch (this.choice(['arg', 'alloc', 'xchg'], 'a register, "arg", "alloc" or "xchg"')) {
      case 'arg':
        return { op: 'argument', into, parameter: this.name('the name of an argument') };
      case 'alloc':
        return { op: 'alloc', into, allocator: this.name('the name of an allocator') };
      case 'xchg':
        return this.#exchange(into);
    }
  }

  #exchange(into: Register): ExchangeInstruction {
    const place = this.#place();
    this.sign(',');
    if (!this.at('null'))
      return { op: 'exchange', into, place, value: this.register('a register or "null"') };
    this.keyword('null');
    return { op: 'exchange', into, place, value: null };
  }

  #place(): Place {
    const map = this.name('the name of a map');
    let index: Operand = { kind: 'constant', value: 0 };
    if (this.at('[')) {
      this.sign('[');
      index = this.#operand('a register or a number');
      this.sign(']');
    }
    this.sign('.', index.kind === 'constant' && index.value === 0 ? '"[" or "."' : '"."');
    return { map, index, field: this.name('the name of a field') };
  }

  #branch(): Instruction {
    const register = this.register();
    this.keyword('is');
    const negated = this.choice(['null', 'not'], '"null" or "not null"') === 'not';
    if (negated) this.keyword('null');
    this.sign('{');
    return { op: 'if', register, is: negated ? 'not-null' : 'null' };
  }

  #loop(): Instruction {
    const counter = this.register();
    this.keyword('times');
    const times = this.#times();
    this.sign('{');
    return { op: 'loop', counter, times };
  }

  #times(): LoopTimes {
    const times = this.#operand('a register or a number');
    if (times.kind === 'constant') return times;
    this.keyword('at');
    this.keyword('most');
    return { ...times, atMost: this.number() };
  }

  #operand(expected: string): Operand {
    return this.isRegister()
      ? { kind: 'register', register: this.register() }
      : { kind: 'constant', value: this.number(expected) };
  }
}
