import { assert } from '@holdfast/foundation';
import type { OptionExchange } from './option-exchange.js';

/** Where a handshake stands, from the client's side; each phase carries only its own facts. */
export type ClientHandshakeState =
  | { readonly phase: 'greeting' }
  /** It is the client's turn. */
  | { readonly phase: 'options' }
  | { readonly phase: 'awaiting-replies'; readonly exchange: OptionExchange<unknown> }
  /** The answer to EXPORT_NAME, which is no option reply. */
  | { readonly phase: 'awaiting-export' }
  /** The server agreed to TLS, which is not up yet. */
  | { readonly phase: 'tls' }
  | { readonly phase: 'transmission' }
  | { readonly phase: 'closed' };

export type ClientHandshakePhase = ClientHandshakeState['phase'];

/** Which phase may follow which. */
const transitions: Readonly<Record<ClientHandshakePhase, readonly ClientHandshakePhase[]>> = {
  greeting: ['options', 'closed'],
  options: ['awaiting-replies', 'awaiting-export', 'closed'],
  'awaiting-replies': ['options', 'tls', 'transmission', 'closed'],
  'awaiting-export': ['transmission', 'closed'],
  tls: ['options', 'closed'],
  transmission: [],
  closed: [],
};

/** The successor of a state, which must be a declared one. */
export function transition(from: ClientHandshakeState, to: ClientHandshakeState): ClientHandshakeState {
  assert(transitions[from.phase].includes(to.phase), `a handshake goes from ${from.phase} to ${to.phase}`);
  return to;
}
