import type { Register } from './instruction.js';
import { INTEGER_MAX, NAME_BYTES_MAX, REGISTERS } from './limits.js';
import { malformed, Scanner, type Token } from './scanner.js';

const REGISTER = /^r(0|[1-9][0-9]*)$/;

/** Reads the words and signs that lines are made of. Each method takes what it names, or throws PROGRAM_MALFORMED. */
export class TokenParser {
  readonly #scanner: Scanner;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
  }

  protected get token(): Token {
    return this.#scanner.token;
  }

  /** Whether this sign or word is next. */
  protected at(text: string): boolean {
    return this.token.text === text;
  }

  protected isRegister(): boolean {
    return REGISTER.test(this.token.text);
  }

  protected newlines(): void {
    while (this.token.kind === 'newline') this.#scanner.take();
  }

  protected lineEnd(): void {
    if (this.token.kind !== 'end') this.#expect(this.token.kind === 'newline', 'the end of the line');
  }

  protected sign(sign: string, expected = `"${sign}"`): void {
    this.#expect(this.at(sign), expected);
  }

  protected keyword(word: string, expected = `"${word}"`): void {
    this.#expect(this.at(word), expected);
  }

  protected choice<const Word extends string>(words: readonly Word[], expected: string): Word {
    const word = words.find((one) => this.at(one));
    if (word === undefined) throw malformed(this.token, expected);
    this.#scanner.take();
    return word;
  }

  protected name(expected: string): string {
    const { kind, text } = this.token;
    const fits = text.length <= NAME_BYTES_MAX;
    return this.#expect(
      kind === 'word' && fits,
      fits ? expected : `${expected} of at most ${NAME_BYTES_MAX} bytes`,
    );
  }

  protected number(expected = 'a number'): number {
    const { kind, text } = this.token;
    const value = Number(text);
    const fits = kind !== 'number' || value <= INTEGER_MAX;
    this.#expect(kind === 'number' && fits, fits ? expected : `a number of at most ${INTEGER_MAX}`);
    return value;
  }

  protected register(expected = 'a register'): Register {
    const register = Number(REGISTER.exec(this.token.text)?.[1] ?? Infinity);
    const last = `r${REGISTERS - 1}`;
    this.#expect(register < REGISTERS, this.isRegister() ? `a register up to ${last}` : expected);
    return register;
  }

  #expect(fits: boolean, expected: string): string {
    if (!fits) throw malformed(this.token, expected);
    return this.#scanner.take().text;
  }
}
