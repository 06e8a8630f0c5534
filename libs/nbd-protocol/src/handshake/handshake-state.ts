import { assert } from '@holdfast/foundation';
import type { OptionReplyType } from '../constants/option-replies.js';
import type { Option } from '../constants/options.js';
import type { HandshakeEnd } from './handshake-request.js';
import type { InfoRequest } from './info-request.js';
import type { MetaContextRequest } from './meta-context-request.js';

/** The options whose data is read. */
export type DataOption = Exclude<(typeof Option)[keyof typeof Option], typeof Option.ABORT>;

/** What the owner was asked, and what the answer needs to know. */
export type Question =
  | { readonly option: typeof Option.LIST }
  | { readonly option: typeof Option.EXPORT_NAME; readonly exportName: string }
  | ({ readonly option: typeof Option.INFO | typeof Option.GO } & InfoRequest)
  | ({
      readonly option: typeof Option.LIST_META_CONTEXT | typeof Option.SET_META_CONTEXT;
    } & MetaContextRequest);

/** Where a handshake stands; each phase carries only its own facts. */
export type HandshakeState =
  | { readonly phase: 'client-flags' }
  | { readonly phase: 'option-header' }
  | { readonly phase: 'option-data'; readonly option: DataOption; readonly lengthBytes: number }
  /** The data of an option passes by unread; its answer is settled already. */
  | {
      readonly phase: 'skipping';
      readonly option: number;
      readonly remainingBytes: number;
      readonly answer: OptionReplyType;
      readonly message: string;
    }
  | { readonly phase: 'deciding'; readonly question: Question }
  /** STARTTLS is acknowledged; what comes until the stream is secured is dropped. */
  | { readonly phase: 'securing' }
  | { readonly phase: 'transmission' }
  | { readonly phase: 'closed'; readonly reason: HandshakeEnd };

export type HandshakePhase = HandshakeState['phase'];
export type StateIn<Phase extends HandshakePhase> = Extract<HandshakeState, { phase: Phase }>;

/** Which phase may follow which; what is not here does not compile. */
const transitions = {
  'client-flags': ['option-header', 'closed'],
  'option-header': ['option-data', 'skipping', 'closed'],
  'option-data': ['option-header', 'deciding', 'securing', 'closed'],
  skipping: ['skipping', 'option-header', 'closed'],
  deciding: ['option-header', 'transmission', 'closed'],
  securing: ['option-header', 'closed'],
  transmission: [],
  closed: [],
} as const satisfies Record<HandshakePhase, readonly HandshakePhase[]>;

type Successor<Phase extends HandshakePhase> = HandshakeState & {
  readonly phase: (typeof transitions)[Phase][number];
};

/** The successor of a state, which must be a declared one. */
export function transition<Phase extends HandshakePhase>(
  from: { readonly phase: Phase },
  to: Successor<Phase>,
): HandshakeState {
  const successors: readonly HandshakePhase[] = transitions[from.phase];
  assert(successors.includes(to.phase), `a handshake goes from ${from.phase} to ${to.phase}`);
  return to;
}
