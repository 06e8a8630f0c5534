import { AssertionFailure } from '@holdfast/foundation';

/**
 * The life of an attachment, one period in which a device is open. The table declares every transition there is:
 *
 * - `ATTACHING`: the intent is written; the device is being opened and passed to the worker.
 * - `CONNECTED`: registry and worker both hold the device; leases are granted.
 * - `DRAINING`: no new lease is granted; those that live are waited for. Back to `CONNECTED` when they outlast the wait.
 * - `DETACHING`: no new lease is granted; the worker is asked to let go. Back to `CONNECTED` when it refuses.
 * - `RELEASED`: both have let go.
 * - `FAILED`: attaching failed.
 * - `LOST`: registry and worker both ended without detaching, or the machine was started anew; the descriptor is gone.
 *
 * The last three are final: the next attachment of the device is a new one, of a higher epoch.
 */
export const attachmentTransitions = {
  ATTACHING: ['CONNECTED', 'FAILED', 'LOST'],
  CONNECTED: ['DRAINING', 'DETACHING', 'LOST'],
  DRAINING: ['DETACHING', 'CONNECTED', 'LOST'],
  DETACHING: ['RELEASED', 'CONNECTED', 'LOST'],
  RELEASED: [],
  FAILED: [],
  LOST: [],
} as const satisfies Record<string, readonly string[]>;

export type AttachmentState = keyof typeof attachmentTransitions;

/** The states that may follow `From`; `never` after a final one. */
export type NextAttachmentState<From extends AttachmentState> = (typeof attachmentTransitions)[From][number];

/** All states, in the order of the table. */
export const attachmentStates = Object.keys(attachmentTransitions) as readonly AttachmentState[];

export function isAttachmentState(text: string): text is AttachmentState {
  return Object.hasOwn(attachmentTransitions, text);
}

/** The descriptor is open somewhere, or about to be: the attachment holds its device's identity. */
export function isLive(state: AttachmentState): boolean {
  return attachmentTransitions[state].length > 0;
}

/** Whether a lease may be granted on an attachment in this state. */
export function grantsLeases(state: AttachmentState): boolean {
  return state === 'CONNECTED';
}

/** Whether the table declares the transition. */
export function canTransition(from: AttachmentState, to: AttachmentState): boolean {
  return (attachmentTransitions[from] as readonly AttachmentState[]).includes(to);
}

/**
 * Answers with `to` when the table declares `from` → `to`. An undeclared transition between literals does not
 * compile; between states that are only known at run time it is a bug of ours.
 *
 * @throws AssertionFailure naming both states
 */
export function transition<From extends AttachmentState, To extends NextAttachmentState<From>>(
  from: From,
  to: To,
): To {
  if (!canTransition(from, to)) throw new AssertionFailure(`an attachment cannot go from ${from} to ${to}`);
  return to;
}
