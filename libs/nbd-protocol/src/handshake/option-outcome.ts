import { Buffer } from 'node:buffer';
import { InfoType } from '../constants/info-types.js';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { agreeing, negotiatedFor, type HandshakeFacts } from './handshake-facts.js';
import type { HandshakeRequest } from './handshake-request.js';
import type { DataOption, StateIn } from './handshake-state.js';
import { parseInfoRequest } from './info-request.js';
import type { MalformedOption } from './malformed-option.js';
import { parseMetaContextRequest } from './meta-context-request.js';
import { encodeOptionReply } from './option-reply.js';
import { parseString } from './string.js';

/** What the data of an option leads to: the next state, what is known then, and what the owner is asked or told. */
export interface OptionOutcome {
  readonly state: StateIn<'deciding' | 'option-header' | 'securing' | 'closed'>;
  readonly facts: HandshakeFacts;
  readonly request: HandshakeRequest;
}

/** Reads the whole data of an admitted option. */
export function outcomeOf(option: DataOption, data: Uint8Array, facts: HandshakeFacts): OptionOutcome {
  switch (option) {
    case Option.LIST:
      return { state: { phase: 'deciding', question: { option } }, facts, request: { kind: 'list' } };
    case Option.EXPORT_NAME:
      return chosenByName(data, facts);
    case Option.INFO:
    case Option.GO:
      return asked(option, data, facts);
    case Option.LIST_META_CONTEXT:
    case Option.SET_META_CONTEXT:
      return askedForContexts(option, data, facts);
    case Option.STARTTLS: {
      const bytes = encodeOptionReply(option, OptionReplyType.ACK);
      return { state: { phase: 'securing' }, facts, request: { kind: 'start-tls', bytes } };
    }
    case Option.STRUCTURED_REPLY:
      return acknowledged(option, agreeing(facts, { replyMode: 'structured' }));
    case Option.EXTENDED_HEADERS:
      return acknowledged(option, agreeing(facts, { replyMode: 'extended' }));
  }
}

function chosenByName(data: Uint8Array, facts: HandshakeFacts): OptionOutcome {
  const option = Option.EXPORT_NAME;
  const exportName = parseString(data);
  if (exportName === undefined) {
    // N3: this option has no error replies.
    const reason = 'bad-export-name';
    return { state: { phase: 'closed', reason }, facts, request: { kind: 'close', reason } };
  }
  const negotiated = negotiatedFor(exportName, facts);
  return {
    state: { phase: 'deciding', question: { option, exportName } },
    facts,
    request: { kind: 'go', exportName, via: 'export-name', blockSizeAsked: false, negotiated },
  };
}

function asked(
  option: typeof Option.INFO | typeof Option.GO,
  data: Uint8Array,
  facts: HandshakeFacts,
): OptionOutcome {
  const message = parseInfoRequest(data);
  if ('error' in message) return rejected(option, message, facts);
  const { exportName } = message;
  const inquiry = {
    exportName,
    blockSizeAsked: message.infoTypes.has(InfoType.BLOCK_SIZE),
    negotiated: negotiatedFor(exportName, facts),
  };
  return {
    state: { phase: 'deciding', question: { option, ...message } },
    facts,
    request: option === Option.INFO ? { kind: 'info', ...inquiry } : { kind: 'go', via: 'go', ...inquiry },
  };
}

function askedForContexts(
  option: typeof Option.LIST_META_CONTEXT | typeof Option.SET_META_CONTEXT,
  data: Uint8Array,
  facts: HandshakeFacts,
): OptionOutcome {
  const message = parseMetaContextRequest(data);
  if ('error' in message) return rejected(option, message, facts);
  const { exportName } = message;
  return {
    state: { phase: 'deciding', question: { option, ...message } },
    facts,
    request: { kind: 'meta-contexts', exportName },
  };
}

function acknowledged(option: DataOption, facts: HandshakeFacts): OptionOutcome {
  const bytes = encodeOptionReply(option, OptionReplyType.ACK);
  return { state: { phase: 'option-header' }, facts, request: { kind: 'reply', bytes } };
}

function rejected(
  option: DataOption,
  { error, message }: MalformedOption,
  facts: HandshakeFacts,
): OptionOutcome {
  const bytes = encodeOptionReply(option, error, Buffer.from(message));
  return { state: { phase: 'option-header' }, facts, request: { kind: 'reply', bytes } };
}
