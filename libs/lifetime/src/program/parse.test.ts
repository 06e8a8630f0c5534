import { HoldfastError } from '@holdfast/foundation';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyProgram } from '../testing/any-program.js';
import { SCENE } from '../testing/environment.js';
import {
  BLOCK_DEPTH_MAX,
  INSTRUCTIONS_MAX,
  INTEGER_MAX,
  NAME_BYTES_MAX,
  PARAMETERS_MAX,
  PROGRAM_BYTES_MAX,
  STEPS_MAX,
} from './limits.js';
import { parseProgram } from './parse.js';
import { canonicalLines, printProgram } from './print.js';

const EVERYTHING = `program everything(first, count) {
  r1 = arg first
  r2 = arg count
  loop r3 times r2 at most 64 {
    r4 = r1 + r3
    r4 = r4 + 1
    r0 = alloc pool-a
    if r0 is null {
      break
    }
    r0 = xchg volume[r4].chunk, r0
    call drop
  }
  loop r3 times 2 {
    r0 = xchg volume.chunk, null
    r0 = xchg volume[3].chunk, r0
    call drop
  }
}

step drop {
  if r0 is not null {
    free r0
  } else {
    return
  }
}
`;

function failure(text: string): unknown {
  try {
    parseProgram(text);
    return 'parsed';
  } catch (error) {
    return error;
  }
}

describe('the text of a program', () => {
  test('is read instruction by instruction', () => {
    const { program, lines } = parseProgram(EVERYTHING);
    expect(program.parameters).toEqual(['first', 'count']);
    expect(program.body.slice(0, 12)).toEqual([
      { op: 'argument', into: 1, parameter: 'first' },
      { op: 'argument', into: 2, parameter: 'count' },
      { op: 'loop', counter: 3, times: { kind: 'register', register: 2, atMost: 64 } },
      { op: 'add', into: 4, left: 1, right: { kind: 'register', register: 3 } },
      { op: 'add', into: 4, left: 4, right: { kind: 'constant', value: 1 } },
      { op: 'alloc', into: 0, allocator: 'pool-a' },
      { op: 'if', register: 0, is: 'null' },
      { op: 'break' },
      { op: 'end' },
      {
        op: 'exchange',
        into: 0,
        place: { map: 'volume', index: { kind: 'register', register: 4 }, field: 'chunk' },
        value: 0,
      },
      { op: 'call', step: 'drop' },
      { op: 'end' },
    ]);
    expect(program.body[13]).toMatchObject({ value: null, place: { index: { kind: 'constant', value: 0 } } });
    expect(program.steps).toEqual([
      {
        name: 'drop',
        body: [
          { op: 'if', register: 0, is: 'not-null' },
          { op: 'free', register: 0 },
          { op: 'else' },
          { op: 'return' },
          { op: 'end' },
        ],
      },
    ]);
    expect(lines.steps).toEqual([[22, 23, 24, 25, 26, 27]]);
  });

  test('is canonical when it is printed', () => {
    expect(printProgram(parseProgram(EVERYTHING).program)).toBe(EVERYTHING);
  });

  test('may have comments, empty lines and other blanks, and names like its own words', () => {
    const text = '# one\n\n program alloc( null )  {#two\n\tr0=xchg r1 [ 0 ] . free ,null\r\n\n}  # end';
    const { program, lines } = parseProgram(text);
    expect(printProgram(program)).toBe('program alloc(null) {\n  r0 = xchg r1.free, null\n}\n');
    expect(lines).toEqual({ body: [4, 6], steps: [] });
  });

  test('comes back from print as it was, each instruction on the line that is told', () => {
    fc.assert(
      fc.property(anyProgram(SCENE), (program) => {
        const text = printProgram(program);
        const parsed = parseProgram(text);
        expect(parsed).toEqual({ program, lines: canonicalLines(program) });
        expect(printProgram(parsed.program)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a text that cannot be read', () => {
  test.each([
    ['', 'line 1, column 1: expected "program", found the end of the text'],
    ['step x {\n}', 'line 1, column 1: expected "program", found "step"'],
    ['program {\n}', 'line 1, column 9: expected the name of the program, found "{"'],
    ['program x\n{\n}', 'line 1, column 10: expected "{", found the end of the line'],
    ['program x() {\n}', 'line 1, column 11: expected the name of an argument, found ")"'],
    ['program x(a b) {\n}', 'line 1, column 13: expected "," or ")", found "b"'],
    ['program x { return }', 'line 1, column 13: expected the end of the line, found "return"'],
    ['program x {\n', 'line 2, column 1: expected an instruction, found the end of the text'],
    ['program x {\n}\nfree r0', 'line 3, column 1: expected "step" or the end of the text, found "free"'],
    ['program x {\n  move r0\n}', 'line 2, column 3: expected an instruction, found "move"'],
    ['program x {\n  r16 = alloc a\n}', 'line 2, column 3: expected a register up to r15, found "r16"'],
    ['program x {\n  free 0\n}', 'line 2, column 8: expected a register, found "0"'],
    [
      'program x {\n  r0 = move\n}',
      'line 2, column 8: expected a register, "arg", "alloc" or "xchg", found "move"',
    ],
    ['program x {\n  r0 = r1\n}', 'line 2, column 10: expected "+", found the end of the line'],
    [
      'program x {\n  r0 = r1 - 1\n}',
      'line 2, column 11: expected a word, a number or one of ( ) { } [ ] . , = +, found "-"',
    ],
    ['program x {\n  r0 = r1 + a\n}', 'line 2, column 13: expected a register or a number, found "a"'],
    [
      'program x {\n  r0 = r1 + 4294967296\n}',
      'line 2, column 13: expected a number of at most 4294967295, found "4294967296"',
    ],
    ['program x {\n  r0 = xchg m, r0\n}', 'line 2, column 14: expected "[" or ".", found ","'],
    ['program x {\n  r0 = xchg m[1], r0\n}', 'line 2, column 17: expected ".", found ","'],
    ['program x {\n  r0 = xchg m.f, 0\n}', 'line 2, column 18: expected a register or "null", found "0"'],
    ['program x {\n  if r0 is 0 {\n  }\n}', 'line 2, column 12: expected "null" or "not null", found "0"'],
    ['program x {\n  loop r0 times r1 {\n  }\n}', 'line 2, column 20: expected "at", found "{"'],
    [
      'program x {\n  loop r0 times 3 {\n  } else {\n  }\n}',
      'line 3, column 5: expected the end of the line, found "else"',
    ],
    ['program x {\n  return return\n}', 'line 2, column 10: expected the end of the line, found "return"'],
    [
      'program x {\n  r0 = alloc é\n}',
      'line 2, column 14: expected a word, a number or one of ( ) { } [ ] . , = +, found "é"',
    ],
  ])('%j', (text, message) => {
    const error = failure(text);
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toMatchObject({ code: 'PROGRAM_MALFORMED', message });
  });

  test('says where and what was expected in its facts as well', () => {
    const facts = { line: '2', column: '8', expected: 'a register' };
    expect(failure('program x {\n  free 0\n}')).toMatchObject({ metadata: facts });
  });

  test('is too long for what a program may be', () => {
    const lines = (count: number) => 'return\n'.repeat(count);
    const names = (count: number) => Array.from({ length: count }, (_, index) => `a${index}`).join(',');
    const steps = (count: number) => 'step s {\n}\n'.repeat(count);
    const blocks = (count: number) => `${'if r0 is null {\n'.repeat(count)}${'}\n'.repeat(count)}`;
    const name = (length: number) => 'n'.repeat(length);
    const blank = (length: number) => `program x {\n}\n${' '.repeat(length - 14)}`;
    const limits: [(size: number) => string, number][] = [
      [(size) => `program x {\n${lines(size)}}`, INSTRUCTIONS_MAX],
      [(size) => `program x(${names(size)}) {\n}`, PARAMETERS_MAX],
      [(size) => `program x {\n}\n${steps(size)}`, STEPS_MAX],
      [(size) => `program x {\n${blocks(size)}}`, BLOCK_DEPTH_MAX],
      [(size) => `program ${name(size)} {\n}`, NAME_BYTES_MAX],
      [(size) => `program x {\nr0 = r0 + ${size}\n}`, INTEGER_MAX],
      [blank, PROGRAM_BYTES_MAX],
    ];
    for (const [textOfSize, limit] of limits) {
      expect(failure(textOfSize(limit))).toBe('parsed');
      expect(failure(textOfSize(limit + 1))).toMatchObject({ code: 'PROGRAM_MALFORMED' });
    }
  });

  test('is refused by name, whatever it is', () => {
    const word = fc.constantFrom(
      ...[
        'program',
        'step',
        'x',
        '{',
        '}',
        '\n',
        'r0',
        'r99',
        '=',
        'alloc',
        'xchg',
        'arg',
        'm',
        '.',
        '[',
        ']',
        ',',
        'if',
      ],
      ...[
        'is',
        'not',
        'null',
        'else',
        'loop',
        'times',
        'at',
        'most',
        '3',
        '+',
        'free',
        'break',
        'call',
        'return',
        '#',
        '\0',
      ],
    );
    const words = fc.array(word, { maxLength: 60, size: 'max' }).map((all) => all.join(' '));
    const cut = fc
      .tuple(fc.nat({ max: EVERYTHING.length }), fc.nat({ max: 20 }), words)
      .map(([at, length, added]) => EVERYTHING.slice(0, at) + added + EVERYTHING.slice(at + length));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), words, cut), (text) => {
        const outcome = failure(text);
        if (outcome !== 'parsed') expect(outcome).toMatchObject({ code: 'PROGRAM_MALFORMED' });
      }),
      { numRuns: 10_000 },
    );
  });
});
