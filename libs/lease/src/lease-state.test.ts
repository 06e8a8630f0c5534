import { expect, test } from 'vitest';
import { isLiveLeaseState, leaseStates, leaseTransition, leaseTransitions } from './lease-state.js';

test('every transition that is declared is granted, every other is refused by name', () => {
  for (const from of leaseStates) {
    for (const to of leaseStates) {
      const declared = (leaseTransitions[from] as readonly string[]).includes(to);
      const attempt = () => leaseTransition(from, to as never);
      if (declared) expect(attempt()).toBe(to);
      else expect(attempt).toThrow(`from ${from} to ${to}`);
    }
  }
});

test('Law 1 a fenced lease still keeps its device, a released one does not', () => {
  expect(leaseStates.filter(isLiveLeaseState)).toEqual(['GRANTED', 'FENCED']);
  expect(isLiveLeaseState('toString')).toBe(false);
});
