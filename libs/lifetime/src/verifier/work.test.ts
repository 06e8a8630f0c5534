import { describe, expect, test } from 'vitest';
import type { Instruction } from '../program/instruction.js';
import {
  BLOCK_DEPTH_MAX,
  CALL_DEPTH_MAX,
  EVALUATIONS_MAX,
  INSTRUCTIONS_MAX,
  LOG_LINES_MAX,
  PARAMETERS_MAX,
  REGISTERS,
  STEPS_MAX,
} from '../program/limits.js';
import type { Program } from '../program/program.js';
import { SCENE } from '../testing/environment.js';
import { verify, type Verdict } from './verify.js';

function programOf(parts: Partial<Program>): Program {
  return { name: 'work', parameters: [], body: [], steps: [], ...parts };
}

function ruleOf(verdict: Verdict): string {
  return verdict.verdict === 'accepted' ? 'accepted' : verdict.rejection.rule;
}

/** How many instructions were evaluated, from the last line of the log. */
function evaluationsOf({ log }: Verdict): number {
  return Number(/^(\d+) instructions evaluated/.exec(log.at(-1) ?? '')?.[1]);
}

const END: Instruction = { op: 'end' };
const alloc = (into: number, allocator = 'fast'): Instruction => ({ op: 'alloc', into, allocator });
const drop = (register: number): Instruction[] => [
  { op: 'if', register, is: 'not-null' },
  { op: 'free', register },
  END,
];
const repeat = <Item>(count: number, make: (index: number) => readonly Item[]): Item[] =>
  Array.from({ length: count }, (_, index) => make(index)).flat();

describe('the work of the verifier', () => {
  test('does not double with each branch', () => {
    const branch: Instruction[] = [alloc(0), ...drop(0)];
    const verdict = verify(programOf({ body: repeat(200, () => branch) }), SCENE, { verbose: true });
    expect(ruleOf(verdict)).toBe('accepted');
    // Each instruction once, and the end.
    expect(evaluationsOf(verdict)).toBe(801);
  });

  test('does not grow with the turns of a loop, and little with loops inside loops', () => {
    const depth = BLOCK_DEPTH_MAX - 1;
    const loops = repeat<Instruction>(depth, (index) => [
      { op: 'loop', counter: 15 - index, times: { kind: 'constant', value: 60_000 } },
    ]);
    const body = [...loops, alloc(0), ...drop(0), ...loops.map(() => END)];
    const verdict = verify(programOf({ body }), SCENE, { verbose: true });
    expect(ruleOf(verdict)).toBe('accepted');
    expect(evaluationsOf(verdict)).toBeLessThan(200);
  });

  test('ends at its limit, and says so', () => {
    // Each turn makes one more register one that may be null, since the turn before did so with the next lower one.
    const registers = Array.from({ length: 13 }, (_, index) => index);
    const swap = (register: number): Instruction => ({
      op: 'exchange',
      into: register,
      value: register,
      place: { map: 'volume', index: { kind: 'constant', value: 0 }, field: 'chunk' },
    });
    const toNull = (register: number): Instruction[] => [
      alloc(register),
      { op: 'if', register, is: 'not-null' },
      { op: 'free', register },
      { op: 'return' },
      END,
    ];
    const spread = (register: number): Instruction[] => [
      { op: 'if', register, is: 'not-null' },
      swap(register + 1),
      END,
    ];
    const turn = [...registers.slice(0, -1).reverse().flatMap(spread), swap(0)];
    const program = (copies: number) =>
      programOf({
        body: [
          ...registers.flatMap(toNull),
          { op: 'loop', counter: 15, times: { kind: 'constant', value: 1 } },
          ...repeat<Instruction>(copies, () => [{ op: 'call', step: 'idle' }]),
          ...turn,
          END,
          ...registers.flatMap(drop),
        ],
        steps: [
          {
            name: 'idle',
            body: repeat(700, () => [
              { op: 'add' as const, into: 14, left: 15, right: { kind: 'constant' as const, value: 1 } },
            ]),
          },
        ],
      });
    expect(ruleOf(verify(program(1), SCENE))).toBe('accepted');
    const began = performance.now();
    expect(verify(program(11), SCENE, { verbose: true })).toMatchObject({
      rejection: { rule: 'analysis-limit', message: `it is not done after ${EVALUATIONS_MAX} instructions` },
      log: { length: LOG_LINES_MAX + 1 },
    });
    // A tenth of it, on a machine that has nothing else to do.
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test('finds a path among more than it can visit', () => {
    const branch = (register: number): Instruction[] => [
      alloc(register),
      { op: 'if', register, is: 'null' },
      END,
    ];
    const body = repeat(REGISTERS, branch);
    const verdict = verify(programOf({ body }), SCENE);
    expect(ruleOf(verdict)).toBe('leaked-handle');
    expect(verdict).toMatchObject({ rejection: { paths: [{ steps: { length: REGISTERS } }] } });
  });
});

describe('a program that is no text', () => {
  const call = (step: string): Instruction => ({ op: 'call', step });
  const chain = (length: number) =>
    programOf({
      body: [call('s1')],
      steps: Array.from({ length }, (_, index) => ({
        name: `s${index + 1}`,
        body: index + 1 === length ? [] : [call(`s${index + 2}`)],
      })),
    });
  const tenfold = (depth: number) =>
    programOf({
      body: [call('s1')],
      steps: Array.from({ length: depth }, (_, index) => ({
        name: `s${index + 1}`,
        body: repeat<Instruction>(10, () => (index + 1 === depth ? [END] : [call(`s${index + 2}`)])),
      })),
    });
  const ifs = (count: number) =>
    programOf({
      body: [
        alloc(0),
        ...repeat<Instruction>(count, () => [{ op: 'if', register: 0, is: 'null' }]),
        ...repeat(count, () => [END]),
        ...drop(0),
      ],
    });
  const names = (count: number) => Array.from({ length: count }, (_, index) => `a${index}`);

  test.each([
    [
      'instructions',
      programOf({ body: repeat(INSTRUCTIONS_MAX, () => [{ op: 'return' as const }]) }),
      programOf({ body: repeat(INSTRUCTIONS_MAX + 1, () => [{ op: 'return' as const }]) }),
    ],
    [
      'steps',
      programOf({ steps: names(STEPS_MAX).map((name) => ({ name, body: [] })) }),
      programOf({ steps: names(STEPS_MAX + 1).map((name) => ({ name, body: [] })) }),
    ],
    [
      'arguments',
      programOf({ parameters: names(PARAMETERS_MAX) }),
      programOf({ parameters: names(PARAMETERS_MAX + 1) }),
    ],
    ['calls inside calls', chain(CALL_DEPTH_MAX), chain(CALL_DEPTH_MAX + 1)],
    ['blocks inside blocks', ifs(BLOCK_DEPTH_MAX), ifs(BLOCK_DEPTH_MAX + 1)],
  ])('may have so many %s, and no more', (_name, most, more) => {
    expect(ruleOf(verify(most, SCENE))).toBe('accepted');
    expect(ruleOf(verify(more, SCENE))).toBe('limit-exceeded');
  });

  test('may not grow by calls beyond what can be verified', () => {
    const steps = tenfold(5);
    const last = steps.steps.map((step) =>
      step.name === 's5' ? { ...step, body: repeat<Instruction>(10, () => [{ op: 'return' }]) } : step,
    );
    const verdict = verify({ ...steps, steps: last }, SCENE);
    expect(ruleOf(verdict)).toBe('limit-exceeded');
  });

  test.each<[string, Partial<Program>]>([
    ['a register that is not there', { body: [alloc(REGISTERS)] }],
    ['a negative register', { body: [alloc(-1)] }],
    ['a register and a half', { body: [alloc(0.5)] }],
    ['a register that is no number', { body: [alloc(NaN)] }],
    ['a name with a dot', { body: [alloc(0, 'a.b')] }],
    ['an empty name', { body: [alloc(0, '')] }],
    ['a name that is too long', { body: [alloc(0, 'a'.repeat(64))] }],
    ['a wrong name of its own', { name: 'a b' }],
    ['a wrong name of an argument', { parameters: ['1'] }],
    ['a wrong name of a step', { steps: [{ name: '', body: [] }] }],
    [
      'a negative integer',
      { body: [{ op: 'add', into: 0, left: 0, right: { kind: 'constant', value: -1 } }] },
    ],
    [
      'an integer beyond 32 bits',
      { body: [{ op: 'add', into: 0, left: 0, right: { kind: 'constant', value: 2 ** 32 } }] },
    ],
    [
      'a fraction of a turn',
      { body: [{ op: 'loop', counter: 0, times: { kind: 'constant', value: 0.5 } }, END] },
    ],
  ])('is malformed by %s', (_name, parts) => {
    expect(ruleOf(verify(programOf(parts), SCENE))).toBe('malformed-instruction');
  });

  test.each<[string, Instruction[], number]>([
    ['an end that closes nothing', [END], 0],
    ['an else without if', [{ op: 'else' }], 0],
    [
      'a second else',
      [alloc(0), { op: 'if', register: 0, is: 'null' }, { op: 'else' }, { op: 'else' }, END],
      3,
    ],
    [
      'an else of a loop',
      [{ op: 'loop', counter: 0, times: { kind: 'constant', value: 1 } }, { op: 'else' }, END],
      1,
    ],
    ['an if without end', [alloc(0), { op: 'if', register: 0, is: 'null' }], 1],
    ['a break outside of loops', [{ op: 'break' }], 0],
  ])('is unbalanced by %s', (_name, body, instruction) => {
    const verdict = verify(programOf({ body }), SCENE);
    expect(verdict).toMatchObject({ rejection: { rule: 'unbalanced-block', location: { instruction } } });
  });
});
