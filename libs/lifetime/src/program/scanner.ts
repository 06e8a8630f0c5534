import { HoldfastError } from '@holdfast/foundation';

export interface Token {
  readonly kind: 'word' | 'number' | 'sign' | 'newline' | 'end';
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
}

/** A token may be as long as the text; an error shows the beginning. */
const TEXT_SHOWN_MAX = 64;

const TOKEN =
  /[ \t\r]*(?:#[^\n]*)?(?:(?<word>[A-Za-z_][A-Za-z0-9_-]*)|(?<number>[0-9]+)|(?<sign>[(){}[\].,=+])|(?<newline>\n)|(?<end>$))/y;

/** @returns PROGRAM_MALFORMED at a token: where, what was expected, what is there. */
export function malformed(
  { line, column, kind, text }: Omit<Token, 'kind'> & { kind?: Token['kind'] },
  expected: string,
): HoldfastError {
  const found =
    kind === 'newline'
      ? 'the end of the line'
      : kind === 'end'
        ? 'the end of the text'
        : JSON.stringify(text.slice(0, TEXT_SHOWN_MAX));
  return new HoldfastError(
    'PROGRAM_MALFORMED',
    `line ${line}, column ${column}: expected ${expected}, found ${found}`,
    { line: String(line), column: String(column), expected },
  );
}

/** Reads a text token by token. */
export class Scanner {
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #lineStart = 0;
  #token: Token;

  /** @throws HoldfastError PROGRAM_MALFORMED */
  constructor(text: string) {
    this.#text = text;
    this.#token = this.#scan();
  }

  /** The token that is next. */
  get token(): Token {
    return this.#token;
  }

  /**
   * Passes over the token that is next, and returns it.
   *
   * @throws HoldfastError PROGRAM_MALFORMED when what follows it is no token
   */
  take(): Token {
    const token = this.#token;
    this.#token = this.#scan();
    return token;
  }

  #scan(): Token {
    TOKEN.lastIndex = this.#offset;
    const groups = TOKEN.exec(this.#text)?.groups;
    if (groups === undefined) throw this.#unknown();
    this.#offset = TOKEN.lastIndex;
    const [kind, text] = Object.entries(groups).find(
      ([, value]) => (value as string | undefined) !== undefined,
    ) as [Token['kind'], string];
    const token = { kind, text, line: this.#line, column: this.#offset - text.length - this.#lineStart + 1 };
    if (kind === 'newline') {
      this.#line += 1;
      this.#lineStart = this.#offset;
    }
    return token;
  }

  #unknown(): HoldfastError {
    const blanks = /[ \t\r]*/y;
    blanks.lastIndex = this.#offset;
    const start = this.#offset + (blanks.exec(this.#text)?.[0].length ?? 0);
    const text = String.fromCodePoint(this.#text.codePointAt(start) ?? 0);
    return malformed(
      { text, line: this.#line, column: start - this.#lineStart + 1 },
      'a word, a number or one of ( ) { } [ ] . , = +',
    );
  }
}
