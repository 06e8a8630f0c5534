import { AssertionFailure } from '@holdfast/foundation';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attachmentStates,
  attachmentTransitions,
  canTransition,
  grantsLeases,
  isAttachmentState,
  isLive,
  transition,
  type AttachmentState,
} from './attachment-state.js';

const anyState = fc.constantFrom(...attachmentStates);

describe('the life of an attachment', () => {
  test('is this table, and no other', () => {
    const declared = attachmentStates.flatMap((from) =>
      attachmentTransitions[from].map((to) => `${from} → ${to}`),
    );
    expect(declared).toEqual([
      'ATTACHING → CONNECTED',
      'ATTACHING → FAILED',
      'ATTACHING → LOST',
      'CONNECTED → DRAINING',
      'CONNECTED → DETACHING',
      'CONNECTED → LOST',
      'DRAINING → DETACHING',
      'DRAINING → CONNECTED',
      'DRAINING → LOST',
      'DETACHING → RELEASED',
      'DETACHING → CONNECTED',
      'DETACHING → LOST',
    ]);
  });

  test('a declared transition is answered, an undeclared one throws by name', () => {
    fc.assert(
      fc.property(anyState, anyState, (from, to) => {
        const step = () => transition(from, to as never);
        if (canTransition(from, to)) expect(step()).toBe(to);
        else expect(step).toThrow(new AssertionFailure(`an attachment cannot go from ${from} to ${to}`));
      }),
    );
  });

  test('an undeclared transition does not compile', () => {
    expect(transition('ATTACHING', 'CONNECTED')).toBe('CONNECTED');
    // @ts-expect-error — a device is not connected without having been attached
    expect(() => transition('RELEASED', 'CONNECTED')).toThrow(AssertionFailure);
    // @ts-expect-error — nothing is released without detaching first
    expect(() => transition('CONNECTED', 'RELEASED')).toThrow(AssertionFailure);
  });

  test('a final state is left by nothing, and every walk ends in one', () => {
    const finals = attachmentStates.filter((state) => !isLive(state));
    expect(finals).toEqual(['RELEASED', 'FAILED', 'LOST']);
    const reachesEnd = (state: AttachmentState, seen: readonly AttachmentState[]): boolean =>
      !isLive(state) ||
      attachmentTransitions[state].some((next) => !seen.includes(next) && reachesEnd(next, [...seen, next]));
    for (const state of attachmentStates) expect(reachesEnd(state, [state])).toBe(true);
  });

  test('Law 1: leases are granted in CONNECTED only, and what grants them is live', () => {
    expect(attachmentStates.filter(grantsLeases)).toEqual(['CONNECTED']);
    expect(attachmentStates.filter(grantsLeases).every(isLive)).toBe(true);
  });

  test('Law 1: no way leads from granting leases to RELEASED except through DETACHING', () => {
    expect(canTransition('CONNECTED', 'RELEASED')).toBe(false);
    const before = attachmentStates.filter((state) => canTransition(state, 'RELEASED'));
    expect(before).toEqual(['DETACHING']);
  });

  test('names from a database are told from other text', () => {
    expect(attachmentStates.every(isAttachmentState)).toBe(true);
    expect(['', 'connected', 'toString', '__proto__'].some(isAttachmentState)).toBe(false);
  });
});
