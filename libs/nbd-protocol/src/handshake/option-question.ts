import { Buffer } from 'node:buffer';
import { Option } from '../constants/options.js';
import type { HandshakeRequest } from './handshake-request.js';
import type { DataOption, StateIn } from './handshake-state.js';
import { parseInfoRequest } from './info-request.js';
import { encodeOptionReply } from './option-reply.js';
import { parseString } from './string.js';

/** What the data of an option leads to: the next state, and what the owner is asked or told. */
export interface OptionOutcome {
  readonly state: StateIn<'deciding' | 'option-header' | 'closed'>;
  readonly request: HandshakeRequest;
}

/** Reads the whole data of an admitted option. */
export function questionOf(option: DataOption, data: Uint8Array): OptionOutcome {
  switch (option) {
    case Option.LIST:
      return { state: { phase: 'deciding', question: { option } }, request: { kind: 'list' } };
    case Option.EXPORT_NAME:
      return exportNameQuestion(data);
    case Option.INFO:
    case Option.GO:
      return infoQuestion(option, data);
  }
}

function exportNameQuestion(data: Uint8Array): OptionOutcome {
  const exportName = parseString(data);
  if (exportName === undefined) {
    // N3: this option has no error replies.
    const reason = 'bad-export-name';
    return { state: { phase: 'closed', reason }, request: { kind: 'close', reason } };
  }
  return {
    state: { phase: 'deciding', question: { option: Option.EXPORT_NAME } },
    request: { kind: 'go', exportName, via: 'export-name' },
  };
}

function infoQuestion(option: typeof Option.INFO | typeof Option.GO, data: Uint8Array): OptionOutcome {
  const message = parseInfoRequest(data);
  if ('error' in message) {
    const bytes = encodeOptionReply(option, message.error, Buffer.from(message.message));
    return { state: { phase: 'option-header' }, request: { kind: 'reply', bytes } };
  }
  const { exportName, infoTypes } = message;
  return {
    state: { phase: 'deciding', question: { option, infoTypes } },
    request: option === Option.INFO ? { kind: 'info', exportName } : { kind: 'go', exportName, via: 'go' },
  };
}
