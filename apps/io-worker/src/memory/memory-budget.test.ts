import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryBudget, type MemoryShare } from './memory-budget.js';

describe('a memory budget', () => {
  test('keeps the least for all sessions that may still come', () => {
    const budget = new MemoryBudget(1000, 100, 4);
    const first = budget.admit();
    expect(first?.grow(601)).toBe(false);
    expect(first?.grow(600)).toBe(true);
    expect(first?.grow(1)).toBe(false);
    for (let i = 0; i < 3; i++) expect(budget.admit()?.grow(1)).toBe(false);
    expect(budget.freeBytes).toBe(0);
    expect(budget.admit()).toBeUndefined();
  });

  test('keeps half when there is not enough for all that may come', () => {
    const budget = new MemoryBudget(1000, 100, 1_000_000);
    const first = budget.admit();
    expect([first?.grow(401), first?.grow(400)]).toEqual([false, true]);
  });

  test('has again what a session gives back', () => {
    const budget = new MemoryBudget(1000, 100, 4);
    const share = budget.admit();
    share?.grow(300);
    expect(budget.freeBytes).toBe(600);
    share?.shrink();
    expect(budget.freeBytes).toBe(900);
    share?.release();
    expect(budget.freeBytes).toBe(1000);
  });

  test('never gives more than there is, and balances when all have gone', () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant({ kind: 'admit' } as const),
        fc.record({ kind: fc.constant('grow' as const), who: fc.nat(20), bytes: fc.nat(500) }),
        fc.record({ kind: fc.constant('release' as const), who: fc.nat(20) }),
      ),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 5000 }),
        fc.integer({ min: 1, max: 50 }),
        steps,
        (total, max, list) => {
          const budget = new MemoryBudget(total, 100, max);
          const shares: { readonly share: MemoryShare; held: number }[] = [];
          for (const step of list) {
            if (step.kind === 'admit') {
              const share = budget.admit();
              if (share !== undefined) shares.push({ share, held: 100 });
            } else {
              const index = shares.length === 0 ? -1 : step.who % shares.length;
              const one = shares[index];
              if (one === undefined) continue;
              if (step.kind === 'grow') one.held += one.share.grow(step.bytes) ? step.bytes : 0;
              else {
                one.share.release();
                shares.splice(index, 1);
              }
            }
            expect(budget.freeBytes).toBe(total - shares.reduce((sum, { held }) => sum + held, 0));
            expect(budget.freeBytes).toBeGreaterThanOrEqual(0);
          }
          for (const { share } of shares) share.release();
          expect(budget.freeBytes).toBe(total);
        },
      ),
    );
  });
});
