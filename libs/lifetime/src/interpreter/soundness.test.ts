import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyMutatedProgram, anyProgram, anyInstruction } from '../testing/any-program.js';
import { SCENE } from '../testing/environment.js';
import { ModelHeap, ownersOf, slotsOf } from '../testing/model-heap.js';
import { WatchedHeap } from '../testing/watched-heap.js';
import type { Program } from '../program/program.js';
import { verify } from '../verifier/verify.js';
import type { VerifiedProgram } from '../verifier/verified-program.js';
import { BufferedHeap } from './buffered-heap.js';
import { runProgram } from './run.js';

/** Twenty thousand programs take some seconds, on a machine that has nothing else to do. */
const TIMEOUT_MS = 240_000;

const slots = slotsOf(SCENE);

/** Objects of an allocator that is never full. */
const AMPLE = 1000;

/** What a run meets: how full allocators and maps are, what no program of its own fills, and its arguments. */
const anyCircumstances = fc.record({
  capacity: fc.oneof(fc.nat({ max: 6 }), fc.constant(AMPLE)),
  filled: fc.array(fc.boolean(), { minLength: slots.length, maxLength: slots.length }),
  placeholders: fc.boolean(),
  values: fc.record({ first: fc.nat({ max: 3 }), count: fc.nat({ max: 4 }) }),
});
type Circumstances = typeof anyCircumstances extends fc.Arbitrary<infer Value> ? Value : never;

function heapFor({ effects }: VerifiedProgram, { capacity, filled, placeholders }: Circumstances): ModelHeap {
  const owners = ownersOf(effects, SCENE, (field) => {
    if (placeholders) return null;
    return field === 'cache.page' ? 'memory' : 'slow';
  });
  const heap = new ModelHeap(SCENE, owners, capacity);
  for (const [index, slot] of slots.entries()) if (filled[index] === true) heap.fill(slot);
  return heap;
}

/** Runs it twice: straight on a heap that breaks off at the first misuse, and buffered. */
function expectSound(verified: VerifiedProgram, circumstances: Circumstances): string {
  const strict = heapFor(verified, circumstances);
  const kept = heapFor(verified, circumstances);
  const before = kept.shape;
  expect(strict.isWhole).toBe(true);

  const watched = new WatchedHeap(strict, verified.effects);
  const straight = runProgram(verified, circumstances.values, watched);
  if (straight.outcome === 'finished') expect(strict.isWhole).toBe(true);

  const buffered = new BufferedHeap(kept);
  const outcome = runProgram(verified, circumstances.values, buffered);
  if (outcome.outcome === 'finished') {
    kept.apply(buffered.journal, buffered.spare);
  } else {
    expect(['index-out-of-range', 'loop-bound', 'run-limit']).toContain(outcome.fault.kind);
    for (const handle of buffered.reserved) kept.free(handle);
    expect(kept.shape).toEqual(before);
  }
  // A full allocator has room again after a free, in a buffered run only after that is true.
  if (circumstances.capacity === AMPLE) {
    expect(outcome).toEqual(straight);
    if (outcome.outcome === 'finished') expect(kept.shape).toEqual(strict.shape);
  }
  expect(kept.isWhole).toBe(true);
  return outcome.outcome;
}

function countOf(programs: fc.Arbitrary<Program>, numRuns: number): Record<string, number> {
  const counts: Record<string, number> = { rejected: 0, finished: 0, faulted: 0 };
  fc.assert(
    fc.property(programs, anyCircumstances, (program, circumstances) => {
      const verdict = verify(program, SCENE);
      const outcome =
        verdict.verdict === 'accepted' ? expectSound(verdict.verified, circumstances) : 'rejected';
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }),
    { numRuns },
  );
  return counts;
}

describe('what the verifier accepts', { timeout: TIMEOUT_MS }, () => {
  test('never leaks, never frees twice, never uses what it gave away', () => {
    const { finished = 0, rejected = 0 } = countOf(anyProgram(SCENE), 12_000);
    expect(finished).toBeGreaterThan(7_000);
    // Those in which two allocators would get into one field.
    expect(rejected).toBeLessThan(300);
  });

  test('the same of programs with a few wrong instructions', () => {
    const { finished = 0, rejected = 0 } = countOf(anyMutatedProgram(SCENE), 12_000);
    expect(finished).toBeGreaterThan(2_000);
    expect(rejected).toBeGreaterThan(4_000);
  });
});

test('whatever the instructions are, the answer is a verdict', { timeout: TIMEOUT_MS }, () => {
  const anything: fc.Arbitrary<Program> = fc.record({
    name: fc.oneof(fc.constant('random'), fc.string()),
    parameters: fc.oneof(fc.constant(['first']), fc.array(fc.string(), { maxLength: 20 })),
    body: fc.array(anyInstruction, { maxLength: 40 }),
    steps: fc.array(
      fc.record({
        name: fc.oneof(fc.constantFrom('one', 'other'), fc.string()),
        body: fc.array(anyInstruction, { maxLength: 10 }),
      }),
      { maxLength: 3 },
    ),
  });
  fc.assert(
    fc.property(fc.oneof(anything, anyMutatedProgram(SCENE)), (program) => {
      const verdict = verify(program, SCENE, { verbose: true });
      expect(['accepted', 'rejected']).toContain(verdict.verdict);
    }),
    { numRuns: 12_000 },
  );
});
