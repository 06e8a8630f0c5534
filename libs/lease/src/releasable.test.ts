import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { releasable, type LeaseFacts, type WorkerReport } from './releasable.js';

const number = fc.bigInt({ min: 1n, max: 12n });
const workerInstance = fc.constantFrom('alive', 'dead-1', 'dead-2');
const anyLeases: fc.Arbitrary<LeaseFacts[]> = fc.uniqueArray(fc.record({ number, workerInstance }), {
  selector: (lease) => lease.number,
});
const anyReport: fc.Arbitrary<WorkerReport> = fc.record({
  workerInstance: fc.constant('alive'),
  liveLeases: fc.uniqueArray(number),
  voidedUpTo: fc.bigInt({ min: 0n, max: 14n }),
});

const numbers = (leases: readonly LeaseFacts[]) => leases.map((lease) => lease.number);

describe('which leases may be released', () => {
  const report: WorkerReport = { workerInstance: 'alive', liveLeases: [2n], voidedUpTo: 3n };

  test('those of a worker that is gone, and those that the living one has voided', () => {
    const leases = [1n, 2n, 3n, 4n].map((n) => ({ number: n, workerInstance: 'alive' }));
    const orphan = { number: 9n, workerInstance: 'dead' };
    expect(numbers(releasable([...leases, orphan], report))).toEqual([1n, 3n, 9n]);
  });

  test('a number that a dead worker used is no live session of the living one', () => {
    expect(numbers(releasable([{ number: 2n, workerInstance: 'dead' }], report))).toEqual([2n]);
  });

  test('nothing, when the worker voided nothing and all leases are its own', () => {
    const leases = [{ number: 1n, workerInstance: 'alive' }];
    expect(releasable(leases, { workerInstance: 'alive', liveLeases: [], voidedUpTo: 0n })).toEqual([]);
  });

  test('Law 1: a lease with a live session at the living worker is never among them', () => {
    fc.assert(
      fc.property(anyLeases, anyReport, (leases, said) => {
        const live = new Set(said.liveLeases);
        const inUse = leases.filter((lease) => lease.workerInstance === 'alive' && live.has(lease.number));
        const released = new Set(releasable(leases, said));
        expect(inUse.some((lease) => released.has(lease))).toBe(false);
      }),
    );
  });

  test('Law 1: a lease above the voided ones, at the living worker, may still be on its way', () => {
    fc.assert(
      fc.property(anyLeases, anyReport, (leases, said) => {
        const kept = leases.filter((l) => l.workerInstance === 'alive' && l.number > said.voidedUpTo);
        const released = new Set(releasable(leases, said));
        expect(kept.some((lease) => released.has(lease))).toBe(false);
      }),
    );
  });

  test('all others are, in the order given', () => {
    fc.assert(
      fc.property(anyLeases, anyReport, (leases, said) => {
        const live = new Set(said.liveLeases);
        const expected = leases.filter(
          (l) => l.workerInstance !== 'alive' || (l.number <= said.voidedUpTo && !live.has(l.number)),
        );
        expect(releasable(leases, said)).toEqual(expected);
      }),
    );
  });
});
