import { describe, expect, test } from 'vitest';
import type { Effects } from '../effects.js';
import { environmentOf, mapOf } from '../testing/environment.js';
import { accepted, rejected } from '../testing/programs.js';
import { formatField, formatSource } from './value.js';
import type { VerifiedProgram } from './verified-program.js';

const MAPS = environmentOf(
  { A: 'chunk', B: 'chunk' },
  { M1: mapOf(1, { f: 'chunk' }), M2: mapOf(1, { f: 'chunk', g: 'chunk' }), M3: mapOf(1, { f: 'chunk' }) },
);

const DROP = '\nstep drop {\nif r0 is not null {\nfree r0\n}\n}\n';

function rowsOf({ stores, moves, uses }: Effects): string[] {
  return [
    ...stores.map(({ allocator, into }) => `S ${allocator} ${formatField(into)}`),
    ...moves.map(({ from, to }) => `E ${formatField(from)} ${formatField(to)}`),
    ...uses.map((field) => `U ${formatField(field)}`),
  ];
}

function effectsOf(body: string): string[] {
  return rowsOf(verified(body).effects);
}

function verified(body: string): VerifiedProgram {
  return accepted(`program P {\n${body}\n}\n${DROP}`, MAPS);
}

function freedBy({ freeSites }: VerifiedProgram): string[][] {
  return freeSites.map(({ sources }) => sources.map(formatSource));
}

describe('the rows of a program', () => {
  test('C1 the three programs of the counter-example', () => {
    const p1 = verified('r0 = xchg M1.f, null\nr0 = xchg M2.f, r0\ncall drop');
    expect(rowsOf(p1.effects)).toEqual(['E M1.f M2.f', 'U M1.f', 'U M2.f']);
    const p2 = verified('r0 = alloc A\nr0 = xchg M1.f, r0\ncall drop');
    expect(rowsOf(p2.effects)).toEqual(['S A M1.f', 'U M1.f']);
    const p3 = verified('r0 = xchg M2.f, null\ncall drop');
    expect(rowsOf(p3.effects)).toEqual(['U M2.f']);
    expect([p1, p2, p3].map(freedBy)).toEqual([[['M2.f']], [['M1.f']], [['M2.f']]]);
  });

  test.each([
    ['what is freed at once is stored nowhere', 'r0 = alloc A\ncall drop', []],
    [
      'a value that goes back where it was moves nowhere',
      'r0 = xchg M1.f, null\nr0 = xchg M1.f, r0\ncall drop',
      ['U M1.f'],
    ],
    [
      'what is known to be null is nothing',
      'r0 = alloc A\nif r0 is null {\nr0 = xchg M1.f, r0\n}\ncall drop',
      ['U M1.f'],
    ],
    ['what may be null is something', 'r0 = alloc A\nr0 = xchg M1.f, r0\ncall drop', ['S A M1.f', 'U M1.f']],
    ['null itself is nothing', 'r0 = xchg M1.f, null\ncall drop', ['U M1.f']],
    [
      'twice is once',
      'loop r1 times 2 {\nr0 = alloc A\nr0 = xchg M1.f, r0\ncall drop\n}',
      ['S A M1.f', 'U M1.f'],
    ],
    [
      'both of what paths brought together',
      'r0 = alloc A\nif r0 is null {\nr0 = xchg M1.f, null\n}\nr0 = xchg M3.f, r0\ncall drop',
      ['S A M3.f', 'E M1.f M3.f', 'U M1.f', 'U M3.f'],
    ],
    [
      'what only a second turn does',
      'r0 = alloc A\nloop r1 times 2 {\nr0 = xchg M1.f, r0\nr0 = xchg M2.g, r0\n}\ncall drop',
      ['S A M1.f', 'E M1.f M2.g', 'E M2.g M1.f', 'U M1.f', 'U M2.g'],
    ],
    ['nothing of what is never reached', 'return\nr0 = alloc A\nr0 = xchg M1.f, r0\ncall drop', []],
  ])('%s', (_name, body, rows) => {
    expect(effectsOf(body)).toEqual(rows);
  });

  test('a free site refers to the fields that its value may come from', () => {
    const both = verified('r0 = xchg M1.f, null\nif r0 is null {\nr0 = xchg M2.g, null\n}\ncall drop');
    expect(freedBy(both)).toEqual([['M1.f', 'M2.g']]);
    expect(both.freeSites[0]?.location).toMatchObject({ step: 'drop', instruction: 1 });
    expect(freedBy(verified('r0 = alloc A\ncall drop\nr0 = alloc B\ncall drop'))).toEqual([['A'], ['B']]);
  });
});

describe('two allocators in one field', () => {
  const TWO = 'r0 = alloc A\nr0 = xchg M1.f, r0\ncall drop\nr0 = alloc B\n';

  test('directly', () => {
    const rejection = rejected(`program P {\n${TWO}r0 = xchg M1.f, r0\ncall drop\n}\n${DROP}`, MAPS);
    expect(rejection).toMatchObject({ rule: 'allocators-mixed', location: { line: 6 } });
    expect(rejection.message).toBe('M1.f is filled from A, and here from B');
  });

  test('by one exchange that either reaches', () => {
    const body = 'r0 = alloc A\nif r0 is null {\nr0 = alloc B\n}\nr0 = xchg M1.f, r0\ncall drop';
    const rejection = rejected(`program P {\n${body}\n}\n${DROP}`, MAPS);
    expect(rejection.rule).toBe('allocators-mixed');
    expect(rejection.paths[0]?.shows).toBe('r0 holds what comes from B');
    expect(rejection.paths[0]?.steps?.map(({ took }) => took)).toEqual(['r0 is null']);
  });

  test.each([
    [
      'through one field',
      'r0 = xchg M2.f, r0\ncall drop\nr0 = xchg M1.f, null\nr0 = xchg M2.f, r0\ncall drop',
    ],
    [
      'through two',
      'r0 = xchg M3.f, r0\ncall drop\nr0 = xchg M1.f, null\nr0 = xchg M2.f, r0\ncall drop\nr0 = xchg M2.f, null\nr0 = xchg M3.f, r0\ncall drop',
    ],
    [
      'through a move that came before',
      'r0 = xchg M2.g, r0\ncall drop\nr0 = xchg M2.f, null\nr0 = xchg M1.f, r0\ncall drop\nr0 = xchg M2.g, null\nr0 = xchg M2.f, r0\ncall drop',
    ],
  ])('%s', (_name, body) => {
    expect(rejected(`program P {\n${TWO}${body}\n}\n${DROP}`, MAPS).rule).toBe('allocators-mixed');
  });

  test('each in a field of its own is right', () => {
    expect(effectsOf(`${TWO}r0 = xchg M2.f, r0\ncall drop`)).toContain('S B M2.f');
  });
});
