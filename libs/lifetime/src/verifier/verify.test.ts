import { describe, expect, test } from 'vitest';
import { environmentOf, mapOf, SCENE } from '../testing/environment.js';
import { accepted, rejected } from '../testing/programs.js';
import { parseProgram } from '../program/parse.js';
import { formatLocation } from './location.js';
import { formatRejection, rejectionError, type Rejection } from './rejection.js';
import { rules, type Rule } from './rules.js';
import { verify } from './verify.js';

/** The decisions of the first path, as an error shows them. */
function pathOf({ paths }: Rejection): string[] | undefined {
  return paths[0]?.steps?.map(({ location, took }) => `${formatLocation(location)}: ${took}`);
}

describe('a handle is stored, freed or handed on, on every path', () => {
  test.each([
    ['freed', 'r0 = alloc fast\nif r0 is not null {\nfree r0\n}'],
    [
      'stored, and what was there freed',
      'r0 = alloc fast\nr0 = xchg volume.chunk, r0\nif r0 is not null {\nfree r0\n}',
    ],
    [
      'taken and put back',
      'r0 = xchg volume.chunk, null\nr0 = xchg volume.chunk, r0\nif r0 is not null {\nfree r0\n}',
    ],
    [
      'freed by a step',
      'program t {\nr0 = alloc fast\ncall drop\n}\nstep drop {\nif r0 is not null {\nfree r0\n}\n}',
    ],
    [
      'got from a step',
      'program t {\ncall get\nif r0 is not null {\nfree r0\n}\n}\nstep get {\nr0 = alloc fast\n}',
    ],
    [
      'carried through the turns of a loop',
      'r0 = alloc fast\nloop r1 times 9 {\nr0 = xchg volume[1].chunk, r0\n}\nif r0 is not null {\nfree r0\n}',
    ],
    [
      'null on one path, and set on it',
      'r0 = alloc fast\nif r0 is null {\nr0 = alloc slow\n}\nif r0 is not null {\nfree r0\n}',
    ],
  ])('accepted: %s', (_name, text) => {
    expect(accepted(text).code.length).toBeGreaterThan(0);
  });

  test('leaked at the end', () => {
    const rejection = rejected('r0 = alloc fast');
    expect(rejection).toMatchObject({ rule: 'leaked-handle', text: '}', location: { line: 3 } });
    expect(rejection.message).toBe('r0 holds chunk from fast or null');
  });

  test('leaked by a return on one path', () => {
    const rejection = rejected('r0 = alloc fast\nr1 = alloc memory\nif r1 is null {\nreturn\n}\nfree r1');
    expect(rejection).toMatchObject({ rule: 'leaked-handle', text: 'return', location: { line: 5 } });
    expect(pathOf(rejection)).toEqual(['line 4: r1 is null']);
  });

  test('leaked by one branch: where the branches meet', () => {
    const rejection = rejected(
      'r0 = alloc fast\nif r0 is not null {\nr1 = alloc memory\nif r1 is null {\nfree r0\n} else {\nfree r1\n}\n}',
    );
    expect(rejection).toMatchObject({ rule: 'ownership-differs', location: { line: 9 } });
    expect(rejection.message).toBe('on one path r0 holds chunk from fast, on another nothing');
    expect(rejection.paths.map(({ shows }) => shows)).toEqual([
      'r0 holds chunk from fast',
      'r0 holds nothing',
    ]);
    expect(pathOf(rejection)).toEqual(['line 3: r0 is not null', 'line 5: r1 is not null']);
    expect(rejection.paths[1]?.steps?.map(({ took }) => took)).toEqual(['r0 is not null', 'r1 is null']);
  });

  test('leaked by each turn of a loop', () => {
    const rejection = rejected('loop r1 times 4 {\nr0 = alloc fast\n}');
    expect(rejection).toMatchObject({ rule: 'ownership-differs', location: { line: 2 } });
    expect(pathOf(rejection)).toEqual(['line 2: the loop turns']);
  });

  test('leaked by a break', () => {
    const text = (release: string) =>
      `loop r1 times 4 {\nr0 = xchg volume[r1].chunk, null\nif r0 is not null {\n${release}break\n}\n}`;
    expect(rejected(text(''))).toMatchObject({ rule: 'ownership-differs' });
    expect(accepted(text('free r0\n')).freeSites).toHaveLength(1);
  });

  test.each([
    ['another alloc', 'r0 = alloc fast\nr0 = alloc fast', 'r0 = alloc fast', 3],
    ['what a field held', 'r0 = alloc fast\nr0 = xchg volume.chunk, null', 'r0 = xchg volume.chunk, null', 3],
    ['an integer', 'r0 = alloc fast\nr0 = arg first', 'r0 = arg first', 3],
    ['a sum', 'r1 = arg first\nr0 = alloc fast\nr0 = r1 + 1', 'r0 = r1 + 1', 4],
    ['a counter', 'r0 = alloc fast\nloop r0 times 3 {\n}', 'loop r0 times 3 {', 3],
  ])('overwritten by %s', (_name, text, instruction, line) => {
    expect(rejected(text)).toMatchObject({
      rule: 'overwritten-handle',
      text: instruction,
      location: { line },
    });
  });
});

describe('a handle that was given away is not used', () => {
  const HELD = 'r0 = alloc fast\nif r0 is not null {\n';

  test.each([
    ['stored after it was freed', `${HELD}free r0\nr1 = xchg volume.chunk, r0\n}`, 'use-after-release'],
    [
      'stored after it was stored',
      `${HELD}r1 = xchg volume.chunk, r0\nr2 = xchg volume.chunk, r0\n}`,
      'use-after-release',
    ],
    ['compared after it was freed', `${HELD}free r0\nif r0 is null {\n}\n}`, 'use-after-release'],
    [
      'used as an index after it was freed',
      `${HELD}free r0\nr1 = xchg volume[r0].chunk, null\n}`,
      'use-after-release',
    ],
    ['freed twice', `${HELD}free r0\nfree r0\n}`, 'double-free'],
    ['freed after it was stored', `${HELD}r1 = xchg volume.chunk, r0\nfree r0\n}`, 'double-free'],
  ])('%s', (_name, text, rule) => {
    const rejection = rejected(text);
    expect(rejection.rule).toBe(rule);
    expect(rejection.message).toBe('r0 was given away in line 4');
  });

  test('freed twice by a step that is called twice: the path names the calls', () => {
    const rejection = rejected(
      'program t {\nr0 = alloc fast\nif r0 is null {\nreturn\n}\ncall drop\ncall drop\n}\nstep drop {\nfree r0\n}',
    );
    expect(rejection).toMatchObject({
      rule: 'double-free',
      location: { step: 'drop', calls: [{ line: 7 }] },
    });
    expect(formatRejection(rejection)).toBe(
      [
        'line 10 in step drop, called from line 7, instruction 0: free r0',
        'double-free: r0 was given away in line 10.',
        'A handle is freed that was stored or freed before.',
        'Path:',
        '  line 3: r0 is not null',
        'Free it once: where it is in no field, and nowhere else.',
      ].join('\n'),
    );
  });

  test('freed on one path only, and then freed', () => {
    const rejection = rejected(
      'r0 = alloc fast\nif r0 is null {\nreturn\n}\nr1 = alloc memory\nif r1 is not null {\nfree r1\nfree r0\n}\nfree r0',
    );
    expect(rejection.rule).toBe('ownership-differs');
  });
});

describe('what may be null is not freed', () => {
  test.each([
    ['fresh from an allocator', 'r0 = alloc fast\nfree r0'],
    ['fresh from a field', 'r0 = xchg volume.chunk, null\nfree r0'],
    ['known to be null', 'r0 = alloc fast\nif r0 is null {\nfree r0\n} else {\nfree r0\n}'],
    [
      'not null before the loop, perhaps null in its second turn',
      'r0 = alloc fast\nif r0 is null {\nreturn\n}\nloop r1 times 2 {\nfree r0\nr0 = alloc fast\n}\nif r0 is not null {\nfree r0\n}',
    ],
  ])('%s', (_name, text) => {
    expect(rejected(text).rule).toBe('null-free');
  });
});

describe('types', () => {
  test.each<[string, string, Rule]>([
    ['an integer is no handle', 'r0 = arg first\nfree r0', 'type-mismatch'],
    ['an integer is not compared with null', 'r0 = arg first\nif r0 is null {\n}', 'type-mismatch'],
    ['an integer is not stored', 'r0 = arg first\nr1 = xchg volume.chunk, r0', 'type-mismatch'],
    ['a handle is no index', 'r0 = alloc fast\nr1 = xchg volume[r0].chunk, null', 'type-mismatch'],
    ['a handle is no number of turns', 'r0 = alloc fast\nloop r1 times r0 at most 3 {\n}', 'type-mismatch'],
    ['a handle is not added', 'r0 = alloc fast\nr1 = r0 + 1', 'type-mismatch'],
    [
      'a page does not fit a field of chunks',
      'r0 = alloc memory\nr0 = xchg volume.chunk, r0',
      'type-mismatch',
    ],
    [
      'a page and a chunk do not meet',
      'r0 = alloc memory\nif r0 is null {\nr0 = alloc fast\n}',
      'type-mismatch',
    ],
    ['a register that was never set', 'free r3', 'unset-register'],
    [
      'a register that was set on one path',
      'r0 = alloc fast\nif r0 is null {\nr1 = arg first\n} else {\nfree r0\n}\nr1 = r1 + 1',
      'unset-register',
    ],
    ['an argument that is not declared', 'r0 = arg third', 'unknown-argument'],
    ['an allocator that is not there', 'r0 = alloc none', 'unknown-allocator'],
    ['a map that is not there', 'r0 = xchg none.chunk, null', 'unknown-map'],
    ['a field that is not there', 'r0 = xchg volume.none, null', 'unknown-field'],
    ['an entry beyond the end', 'r0 = xchg volume[4].chunk, null', 'index-out-of-range'],
    ['a step that is not there', 'call none', 'unknown-step'],
    [
      'a step that calls itself',
      'program t {\ncall a\n}\nstep a {\ncall b\n}\nstep b {\ncall a\n}',
      'recursive-step',
    ],
    ['two steps of one name', 'program t {\n}\nstep a {\n}\nstep a {\n}', 'duplicate-name'],
    ['two arguments of one name', 'program t(a, a) {\n}', 'duplicate-name'],
    ['a break outside of loops', 'break', 'unbalanced-block'],
    ['a loop that turns too often', 'loop r0 times 65537 {\n}', 'limit-exceeded'],
    [
      'a loop that may turn too often',
      'r1 = arg first\nloop r0 times r1 at most 65537 {\n}',
      'limit-exceeded',
    ],
  ])('%s', (_name, text, rule) => {
    expect(rejected(text).rule).toBe(rule);
  });

  test('a counter may be any register, and the number of turns is read before the first', () => {
    expect(
      accepted('r1 = arg first\nloop r1 times r1 at most 3 {\nr2 = r1 + 1\n}\nr2 = r1 + 1'),
    ).toBeDefined();
  });
});

test('C9 a field of an inner map is rejected by name', () => {
  const rejection = rejected('r0 = xchg catalogue[1].inner, null');
  expect(rejection).toMatchObject({ rule: 'inner-map-field', location: { line: 2 } });
  expect(rejection.message).toContain('catalogue.inner');
  expect(accepted('r0 = xchg catalogue[1].chunk, null\nif r0 is not null {\nfree r0\n}')).toBeDefined();
});

test('every rule has a meaning and a remedy', () => {
  for (const { meaning, remedy } of Object.values(rules)) {
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  }
});

test('callers of services get a rejection as one error', () => {
  const error = rejectionError('test', rejected('r0 = alloc fast'));
  expect(error).toMatchObject({
    code: 'PROGRAM_REJECTED',
    metadata: { program: 'test', rule: 'leaked-handle', line: '3', instruction: '1' },
  });
});

test('without the lines of a source, those of the canonical text are told', () => {
  const { program } = parseProgram('# comment\n\nprogram t {\n\n  r0 = alloc fast # leaks\n}\n');
  const verdict = verify(program, SCENE);
  expect(verdict).toMatchObject({ verdict: 'rejected', rejection: { location: { line: 3 } } });
});

test('a verbose log tells what was known in front of each instruction', () => {
  const { program, lines } = parseProgram(
    'program t {\nloop r1 times 2 {\nr0 = alloc fast\nr0 = xchg volume.chunk, r0\nif r0 is not null {\nfree r0\n}\n}\n}\n',
  );
  const log = verify(program, SCENE, { lines, verbose: true }).log.map((line) => line.replace(/ +/g, ' '));
  expect(log).toEqual([
    '0: (line 2) loop r1 times 2 {',
    '1: (line 2) the next turn',
    '2: (line 3) r0 = alloc fast ; r1=integer',
    '3: (line 4) r0 = xchg volume.chunk, r0 ; r0=chunk from fast or null r1=integer',
    '4: (line 5) if r0 is not null { ; r0=chunk from volume.chunk or null r1=integer',
    '5: (line 6) free r0 ; r0=chunk from volume.chunk r1=integer',
    '6: (line 7) } ; r1=integer',
    '7: (line 8) } ; r1=integer',
    '1: (line 2) the next turn',
    '2: (line 3) r0 = alloc fast ; r1=integer',
    '8: (line 9) } ; r1=integer',
    'S fast -> volume.chunk',
    'U volume.chunk',
    'free at 5: volume.chunk',
    '11 instructions evaluated, 9 in the program',
  ]);
  expect(verify(program, SCENE, { lines }).log).toEqual([]);
});

test('names are told apart that are properties of every object', () => {
  const environment = environmentOf({ constructor: 'chunk' }, { toString: mapOf(1, { valueOf: 'chunk' }) });
  const text =
    'program t(hasOwnProperty) {\nr1 = arg hasOwnProperty\nr0 = alloc constructor\nr0 = xchg toString.valueOf, r0\nif r0 is not null {\nfree r0\n}\n}';
  expect(accepted(text, environment).effects.uses).toEqual([{ map: 'toString', field: 'valueOf' }]);
});
