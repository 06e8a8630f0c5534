import { assert, AssertionFailure } from '@holdfast/foundation';
import { ClientFlag } from '../constants/handshake-flags.js';
import { Option } from '../constants/options.js';
import type { ByteQueue } from './byte-queue.js';
import { CLIENT_FLAGS_BYTES, parseClientFlags } from './client-flags.js';
import { agreeing, type HandshakeFacts } from './handshake-facts.js';
import type { HandshakeLimits, HandshakeRequest } from './handshake-request.js';
import { type HandshakeState, type StateIn, transition } from './handshake-state.js';
import { admitOption } from './option-admission.js';
import { OPTION_HEADER_BYTES, parseOptionHeader } from './option-header.js';
import { outcomeOf } from './option-outcome.js';
import { encodeOptionReply } from './option-reply.js';
import { encodeText } from './string.js';

/** Where a handshake stands and what it knows. */
export interface Standing {
  readonly state: HandshakeState;
  readonly facts: HandshakeFacts;
}

/** One step: where the handshake stands then, and what its owner must do before the next one, if anything. */
export interface Step extends Standing {
  readonly request?: HandshakeRequest;
}

const OFFERED_CLIENT_FLAGS = ClientFlag.FIXED_NEWSTYLE | ClientFlag.NO_ZEROES;

/** One transition of a handshake that reads, by the bytes that are there; those that it used are taken. */
export function step({ state, facts }: Standing, input: ByteQueue, limits: HandshakeLimits): Step {
  switch (state.phase) {
    case 'client-flags':
      return takeClientFlags(state, facts, input);
    case 'option-header':
      return takeOptionHeader(state, facts, input, limits);
    case 'option-data':
      return takeOptionData(state, facts, input);
    case 'skipping':
      return skipOptionData(state, facts, input);
    case 'closed':
      return { state, facts, request: { kind: 'close', reason: state.reason } };
    case 'deciding':
    case 'securing':
    case 'transmission':
      throw new AssertionFailure(`a handshake in ${state.phase} has nothing to ask`);
  }
}

function takeClientFlags(state: StateIn<'client-flags'>, facts: HandshakeFacts, input: ByteQueue): Step {
  const message = parseClientFlags(input.peek());
  if (message === 'incomplete') return needInput(state, facts);
  input.take(CLIENT_FLAGS_BYTES);
  const { clientFlags } = message;
  // N2: "the server MUST drop the TCP connection if the client sets an unknown flag".
  const known = (clientFlags & ~OFFERED_CLIENT_FLAGS) === 0;
  return {
    state: transition(
      state,
      known ? { phase: 'option-header' } : { phase: 'closed', reason: 'bad-client-flags' },
    ),
    facts: { ...facts, clientFlags },
  };
}

function takeOptionHeader(
  state: StateIn<'option-header'>,
  before: HandshakeFacts,
  input: ByteQueue,
  limits: HandshakeLimits,
): Step {
  const header = parseOptionHeader(input.peek());
  if (header === 'incomplete') return needInput(state, before);
  input.take(OPTION_HEADER_BYTES);
  const facts = { ...before, optionsSeen: before.optionsSeen + 1 };
  if (header === 'bad-magic') {
    return { state: transition(state, { phase: 'closed', reason: 'bad-option-magic' }), facts };
  }
  if (facts.optionsSeen > limits.optionsMax) {
    return { state: transition(state, { phase: 'closed', reason: 'options-limit' }), facts };
  }
  // N9: it "replaces all previously-set metadata contexts (including when this command fails)".
  const replaces = header.option === Option.SET_META_CONTEXT;
  return {
    state: transition(state, admitOption(header, facts, limits)),
    facts: replaces ? agreeing(facts, { selection: undefined }) : facts,
  };
}

function takeOptionData(state: StateIn<'option-data'>, facts: HandshakeFacts, input: ByteQueue): Step {
  if (input.length < state.lengthBytes) return needInput(state, facts);
  const outcome = outcomeOf(state.option, input.take(state.lengthBytes), facts);
  return { ...outcome, state: transition(state, outcome.state) };
}

function skipOptionData(state: StateIn<'skipping'>, facts: HandshakeFacts, input: ByteQueue): Step {
  const count = Math.min(input.length, state.remainingBytes);
  input.take(count);
  if (count < state.remainingBytes) return needInput(skipped(state, count), facts);
  const bytes = encodeOptionReply(state.option, state.answer, encodeText(state.message));
  if (state.option === Option.ABORT) {
    const reason = 'abort';
    const closed = transition(state, { phase: 'closed', reason });
    return { state: closed, facts, request: { kind: 'close', reason, bytes } };
  }
  return { state: transition(state, { phase: 'option-header' }), facts, request: { kind: 'reply', bytes } };
}

/** The state once so many bytes have passed by. */
export function skipped(state: StateIn<'skipping'>, count: number): HandshakeState {
  assert(count <= state.remainingBytes, 'only the data of the option passes by');
  return transition(state, { ...state, remainingBytes: state.remainingBytes - count });
}

function needInput(state: HandshakeState, facts: HandshakeFacts): Step {
  return { state, facts, request: { kind: 'need-input' } };
}
