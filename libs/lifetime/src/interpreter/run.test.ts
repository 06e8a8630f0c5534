import { AssertionFailure } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { environmentOf, mapOf } from '../testing/environment.js';
import { ModelHeap, slotsOf } from '../testing/model-heap.js';
import { accepted } from '../testing/programs.js';
import { RUN_INSTRUCTIONS_MAX } from '../program/limits.js';
import { BufferedHeap } from './buffered-heap.js';
import { faultError, faultKinds, isViolation } from './fault.js';
import type { Handle, Heap } from './heap.js';
import { runProgram, type RunOutcome } from './run.js';

const VOLUMES = environmentOf(
  { pool: 'chunk', other: 'chunk' },
  { volume: mapOf(8, { chunk: 'chunk' }), snapshot: mapOf(8, { chunk: 'chunk' }) },
);

const DROP = '\nstep drop {\nif r0 is not null {\nfree r0\n}\n}\n';

/** Puts a fresh chunk into each of `count` entries from `first`, until the pool is full. */
const FILL = `program fill(first, count) {
  r1 = arg first
  r2 = arg count
  loop r3 times r2 at most 8 {
    r4 = r1 + r3
    r0 = alloc pool
    if r0 is null {
      break
    }
    r0 = xchg volume[r4].chunk, r0
    call drop
  }
}
${DROP}`;

/** Moves all chunks of the volume to the snapshot. */
const MOVE = `program move {
  loop r1 times 8 {
    r0 = xchg volume[r1].chunk, null
    r0 = xchg snapshot[r1].chunk, r0
    call drop
  }
}
${DROP}`;

function heapOf(owner: string | null, capacity = 100): ModelHeap {
  const owners = new Map(['volume.chunk', 'snapshot.chunk'].map((field) => [field, owner]));
  return new ModelHeap(VOLUMES, owners, capacity);
}

function run(text: string, heap: Heap, values: Readonly<Record<string, number>> = {}): RunOutcome {
  return runProgram(accepted(text, VOLUMES), values, heap);
}

/** Which entries of a map are not null. */
function filled(heap: ModelHeap, map: string): number[] {
  return slotsOf(VOLUMES).flatMap((slot) =>
    slot.map === map && heap.read(slot) !== null ? [slot.index] : [],
  );
}

describe('a run', () => {
  test('does what the program says, with its arguments', () => {
    const heap = heapOf('pool');
    expect(run(FILL, heap, { first: 2, count: 3 })).toMatchObject({ outcome: 'finished' });
    expect(filled(heap, 'volume')).toEqual([2, 3, 4]);
    expect(run(MOVE, heap)).toMatchObject({ outcome: 'finished' });
    expect([filled(heap, 'volume'), filled(heap, 'snapshot')]).toEqual([[], [2, 3, 4]]);
    expect(heap.isWhole).toBe(true);
  });

  test('frees what it takes the place of', () => {
    const heap = heapOf('pool');
    run(FILL, heap, { first: 0, count: 8 });
    run(FILL, heap, { first: 0, count: 8 });
    expect(heap.live.size).toBe(8);
    expect(heap.isWhole).toBe(true);
  });

  test('gets null from an allocator that is full', () => {
    const heap = heapOf('pool', 2);
    expect(run(FILL, heap, { first: 0, count: 8 })).toMatchObject({ outcome: 'finished' });
    expect(filled(heap, 'volume')).toEqual([0, 1]);
  });

  test('turns a loop as often as was said before the first turn', () => {
    const text =
      'program t(n) {\nr2 = arg n\nloop r1 times r2 at most 8 {\nr2 = r2 + 1\nr0 = alloc pool\nr0 = xchg volume[r1].chunk, r0\ncall drop\n}\nr3 = r2 + 0\n}';
    for (const n of [0, 1, 5]) {
      const heap = heapOf('pool');
      expect(run(text + DROP, heap, { n })).toMatchObject({ outcome: 'finished' });
      expect(filled(heap, 'volume')).toEqual(Array.from({ length: n }, (_, index) => index));
    }
  });

  test('leaves the innermost loop at a break, and a step at its return', () => {
    const text = `program t {
      loop r1 times 2 {
        loop r2 times 4 {
          r4 = r1 + r2
          r0 = xchg volume[r4].chunk, null
          if r0 is null {
            break
          }
          free r0
        }
        call one
      }
    }
    step one {
      r5 = r1 + 6
      r0 = alloc pool
      if r0 is null {
        return
      }
      r0 = xchg volume[r5].chunk, r0
      call drop
    }
    ${DROP}`;
    const heap = heapOf('pool');
    run(FILL, heap, { first: 0, count: 3 });
    expect(run(text, heap)).toMatchObject({ outcome: 'finished' });
    expect(filled(heap, 'volume')).toEqual([6, 7]);
  });
});

describe('a fault', () => {
  test.each([
    ['is missing', {}, 'the argument first is missing'],
    ['is unknown', { first: 0, count: 0, third: 0 }, 'the program has no argument "third"'],
    ['is no property of its own', Object.create({ first: 0, count: 0 }), 'the argument first is missing'],
    ['is negative', { first: -1, count: 0 }, 'the argument first is no integer from 0 to 4294967295'],
    ['is no integer', { first: 0, count: 1.5 }, 'the argument count is no integer from 0 to 4294967295'],
    ['is too large', { first: 2 ** 32, count: 0 }, 'the argument first is no integer from 0 to 4294967295'],
  ])('an argument that %s', (_name, values: Record<string, number>, message) => {
    const outcome = run(FILL, heapOf('pool'), values);
    expect(outcome).toEqual({
      outcome: 'faulted',
      instructions: 0,
      fault: { kind: 'bad-argument', location: undefined, message },
    });
  });

  test('an entry that is not there: nothing is half done', () => {
    const heap = heapOf('pool');
    const buffered = new BufferedHeap(heap);
    const outcome = run(FILL, buffered, { first: 6, count: 4 });
    expect(outcome).toMatchObject({
      outcome: 'faulted',
      fault: {
        kind: 'index-out-of-range',
        location: { line: 10 },
        message: 'volume has 8 entries, none of them is 8',
      },
    });
    expect(filled(heap, 'volume')).toEqual([]);
    expect(buffered.reserved).toHaveLength(3);
    for (const handle of buffered.reserved) heap.free(handle);
    expect(heap.isWhole).toBe(true);
  });

  test('a loop that would turn more often than it may', () => {
    const outcome = run(FILL, heapOf('pool'), { first: 0, count: 9 });
    expect(outcome).toMatchObject({ fault: { kind: 'loop-bound', location: { line: 4 } } });
  });

  test('a sum beyond 32 bits', () => {
    const outcome = run(FILL, heapOf('pool'), { first: 2 ** 32 - 1, count: 2 });
    expect(outcome).toMatchObject({ fault: { kind: 'index-out-of-range' } });
    const sum = run('program t(a) {\nr1 = arg a\nr1 = r1 + 1\n}', heapOf('pool'), { a: 2 ** 32 - 1 });
    expect(sum).toMatchObject({
      fault: { kind: 'integer-overflow', message: 'the sum 4294967296 is more than 4294967295' },
    });
  });

  test('more instructions than a run may take', () => {
    const text = 'program t {\nloop r1 times 65536 {\nloop r2 times 65536 {\n}\n}\n}';
    expect(run(text, heapOf('pool'))).toMatchObject({
      instructions: RUN_INSTRUCTIONS_MAX,
      fault: { kind: 'run-limit' },
    });
  });

  test('is one error for callers of services', () => {
    const outcome = run(FILL, heapOf('pool'), { first: 0, count: 9 });
    const fault = outcome.outcome === 'faulted' ? outcome.fault : undefined;
    expect(fault && faultError('fill', fault)).toMatchObject({
      code: 'PROGRAM_FAULTED',
      metadata: { program: 'fill', fault: 'loop-bound', line: '4' },
    });
    for (const meaning of Object.values(faultKinds)) expect(meaning).toMatch(/^[A-Z].*\.$/);
  });
});

describe('under a placeholder', () => {
  test('a program runs, and takes yield null', () => {
    expect(run(MOVE, heapOf(null))).toMatchObject({ outcome: 'finished' });
  });

  test('an object that is there all the same is a violation where it is taken', () => {
    const heap = heapOf('pool');
    run(FILL, heap, { first: 3, count: 1 });
    const forgetful: Heap = wrapped(heap, { allocatorOf: () => null });
    const outcome = run(MOVE, forgetful);
    expect(outcome).toMatchObject({ fault: { kind: 'held-under-placeholder', location: { line: 3 } } });
    expect(outcome.outcome === 'faulted' && isViolation(outcome.fault)).toBe(true);
    expect(heap.live.size).toBe(1);
  });

  test('an object is not freed, though it could be taken', () => {
    const heap = heapOf('pool');
    run(FILL, heap, { first: 0, count: 1 });
    // The table forgets between the two.
    const answers: (string | null)[] = ['pool', null];
    const outcome = run(
      'program t {\nr0 = xchg volume.chunk, null\ncall drop\n}' + DROP,
      wrapped(heap, { allocatorOf: () => answers.shift() ?? null }),
    );
    expect(outcome).toMatchObject({
      fault: {
        kind: 'held-under-placeholder',
        location: { step: 'drop' },
        message: 'pool#0 is in volume.chunk, which no loaded program fills',
      },
    });
    expect(heap.live.size).toBe(1);
  });
});

describe('C11 the tag that an object carries is compared with the table', () => {
  const TAKE = `program t {\nr0 = xchg volume.chunk, null\ncall drop\n}${DROP}`;

  test('where it is taken out of a field', () => {
    const heap = heapOf('pool');
    run(FILL, heap, { first: 0, count: 1 });
    const outcome = run(TAKE, wrapped(heap, { allocatorOf: () => 'other' }));
    expect(outcome).toMatchObject({
      fault: {
        kind: 'owner-mismatch',
        message: 'pool#0 belongs to pool, and volume.chunk is filled from other',
      },
    });
    expect(heap.live.size).toBe(1);
  });

  test('where it is freed', () => {
    const heap = heapOf('pool');
    run(FILL, heap, { first: 0, count: 1 });
    const answers = ['pool', 'other'];
    const outcome = run(TAKE, wrapped(heap, { allocatorOf: () => answers.shift() ?? null }));
    expect(outcome).toMatchObject({
      fault: {
        kind: 'owner-mismatch',
        message: 'pool#0 belongs to pool, and it came from volume.chunk, whose allocator is other',
      },
    });
    expect(outcome.outcome === 'faulted' && isViolation(outcome.fault)).toBe(true);
    expect(heap.live.size).toBe(1);
  });

  test('where it is put into a field', () => {
    const outcome = run(FILL, heapOf('other'), { first: 0, count: 1 });
    expect(outcome).toMatchObject({ fault: { kind: 'owner-mismatch', location: { line: 10 } } });
  });

  test('where it is handed out', () => {
    const heap = wrapped(heapOf('pool'), { alloc: () => ({ allocator: 'other', object: 7 }) });
    expect(run(FILL, heap, { first: 0, count: 1 })).toMatchObject({
      fault: { kind: 'owner-mismatch', message: 'other#7 belongs to other, and was handed out by pool' },
    });
  });
});

/** A heap that gives other answers than it should. */
function wrapped(heap: ModelHeap, wrong: Partial<Pick<Heap, 'alloc' | 'allocatorOf'>>): Heap {
  return {
    alloc: wrong.alloc ?? ((allocator) => heap.alloc(allocator)),
    exchange: (slot, handle) => heap.exchange(slot, handle),
    free: (handle) => {
      heap.free(handle);
    },
    allocatorOf: wrong.allocatorOf ?? ((field) => heap.allocatorOf(field)),
  };
}

describe('the journal of a run', () => {
  const pool = (object: number): Handle => ({ allocator: 'pool', object });
  const at = (map: string, index: number) => ({ map, field: 'chunk', index });

  test('has each slot that changed once, what was allocated, and what was freed', () => {
    const heap = heapOf('pool');
    run(FILL, heap, { first: 0, count: 1 });
    const buffered = new BufferedHeap(heap);
    run(FILL, buffered, { first: 0, count: 2 });
    expect(buffered.journal).toEqual({
      slots: [
        { slot: at('volume', 0), before: pool(0), after: pool(1) },
        { slot: at('volume', 1), before: null, after: pool(2) },
      ],
      allocated: [pool(1), pool(2)],
      freed: [pool(0)],
    });
    expect(filled(heap, 'volume')).toEqual([0]);
    heap.apply(buffered.journal, buffered.spare);
    expect(filled(heap, 'volume')).toEqual([0, 1]);
    expect(heap.isWhole).toBe(true);
  });

  test('has nothing of what was put back', () => {
    const heap = heapOf('pool');
    run(FILL, heap, { first: 0, count: 8 });
    const buffered = new BufferedHeap(heap);
    run(
      `program t {\nloop r1 times 8 {\nr0 = xchg volume[r1].chunk, null\nr0 = xchg volume[r1].chunk, r0\ncall drop\n}\n}${DROP}`,
      buffered,
    );
    expect(buffered.journal).toEqual({ slots: [], allocated: [], freed: [] });
  });

  test('hands out again what the same run has freed, and asks for no more', () => {
    const heap = heapOf('pool');
    const buffered = new BufferedHeap(heap);
    run(`program t {\nloop r1 times 60000 {\nr0 = alloc pool\ncall drop\n}\n}${DROP}`, buffered);
    expect(buffered.reserved).toEqual([pool(0)]);
    expect(buffered.spare).toEqual([pool(0)]);
    expect(buffered.journal).toEqual({ slots: [], allocated: [], freed: [] });
  });

  test('refuses a second free of the same object', () => {
    const buffered = new BufferedHeap(heapOf('pool'));
    buffered.free(pool(0));
    expect(() => {
      buffered.free(pool(0));
    }).toThrow(AssertionFailure);
  });
});

test('a broken promise of the verifier ends the run', () => {
  const verified = accepted(`program t {\nr0 = alloc pool\ncall drop\n}${DROP}`, VOLUMES);
  const withoutFree = verified.code.map((linked) =>
    linked.instruction.op === 'free' ? { ...linked, instruction: { op: 'break' as const } } : linked,
  );
  const heap = heapOf('pool');
  expect(() => runProgram({ ...verified, code: withoutFree }, {}, heap)).toThrow(
    'the verifier let a program keep pool#0 in r0',
  );
});
