import { assert, type HoldfastError } from '@holdfast/foundation';

/** Where a transmission stands. */
export type TransmissionState =
  | { readonly phase: 'open' }
  /** No new request is taken; those that were are finished. */
  | { readonly phase: 'draining' }
  /** DISC was sent; nothing is expected but the end of the stream. */
  | { readonly phase: 'goodbye' }
  /** `reason` is undefined after a goodbye. */
  | { readonly phase: 'closed'; readonly reason: HoldfastError | undefined };

/** Which phase may follow which. */
const transitions: Readonly<Record<TransmissionState['phase'], readonly TransmissionState['phase'][]>> = {
  open: ['draining', 'closed'],
  draining: ['goodbye', 'closed'],
  goodbye: ['closed'],
  closed: [],
};

/** The successor of a state, which must be a declared one. */
export function transition(from: TransmissionState, to: TransmissionState): TransmissionState {
  assert(transitions[from.phase].includes(to.phase), `a transmission goes from ${from.phase} to ${to.phase}`);
  return to;
}
