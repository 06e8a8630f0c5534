import { AssertionFailure } from '@holdfast/foundation';

/**
 * The life of a lease. The table declares every transition there is:
 *
 * - `GRANTED`: a session may use the attachment.
 * - `FENCED`: the worker was told to end its session, because somebody forces a detach; nothing new is done under it.
 * - `RELEASED`: proven that nobody uses it any more. Only its audit record is left.
 */
export const leaseTransitions = {
  GRANTED: ['FENCED', 'RELEASED'],
  FENCED: ['RELEASED'],
  RELEASED: [],
} as const satisfies Record<string, readonly string[]>;

export type LeaseState = keyof typeof leaseTransitions;

/** The states in which a lease keeps its device. */
export type LiveLeaseState = Exclude<LeaseState, 'RELEASED'>;

export const leaseStates = Object.keys(leaseTransitions) as readonly LeaseState[];

export function isLiveLeaseState(text: string): text is LiveLeaseState {
  return Object.hasOwn(leaseTransitions, text) && leaseTransitions[text as LeaseState].length > 0;
}

/**
 * Answers with `to` when the table declares `from` → `to`.
 *
 * @throws AssertionFailure naming both states
 */
export function leaseTransition<From extends LeaseState>(
  from: From,
  to: (typeof leaseTransitions)[From][number],
): LeaseState {
  const declared: readonly string[] = leaseTransitions[from];
  if (!declared.includes(to)) throw new AssertionFailure(`a lease cannot go from ${from} to ${to}`);
  return to;
}
