import { Buffer } from 'node:buffer';
import { Option } from '../constants/options.js';
import type { TlsMode } from '../handshake/handshake-facts.js';
import { converse, type Conversation } from './conversation.js';
import { clientFlags, contextData, infoData, option } from './handshake-wire.js';

export const MODES: readonly TlsMode[] = ['off', 'required', 'per-export'];

/** What a client sends in plain text, and what it sends through TLS once STARTTLS was acknowledged. */
export interface Session {
  readonly plain: readonly Uint8Array[];
  readonly throughTls: readonly Uint8Array[];
}

const everything = [
  option(Option.LIST_META_CONTEXT, contextData('disk')),
  option(Option.STRUCTURED_REPLY),
  option(Option.STRUCTURED_REPLY, 'data'),
  option(Option.LIST_META_CONTEXT, contextData('disk')),
  option(Option.SET_META_CONTEXT, contextData('disk', 'base:allocation', 'x-holdfast:bitmap:a')),
  option(Option.SET_META_CONTEXT, contextData('disk', 'base:allocation').subarray(0, -1)),
  option(Option.LIST),
  option(Option.LIST, 'data'),
  option(99, 'unknown'),
  option(Option.INFO, infoData('secret', 3)),
  option(Option.INFO, infoData('disk', 1, 2, 3, 77)),
  option(Option.INFO, 'short'),
  option(Option.EXTENDED_HEADERS),
  option(Option.STRUCTURED_REPLY),
  option(Option.SET_META_CONTEXT, contextData('disk', 'base:allocation', 'x-holdfast:wide')),
  option(Option.GO, infoData('hidden')),
  option(Option.GO, infoData('disk', 3)),
  Buffer.from('the first request'),
];

/** Sessions that have every option in them, and every way to end. */
export const SESSIONS = {
  'that asks everything': { plain: [clientFlags(), ...everything], throughTls: [] },
  'that asks everything through TLS': {
    plain: [clientFlags(), option(Option.EXTENDED_HEADERS), option(Option.STARTTLS)],
    throughTls: [option(Option.STARTTLS), ...everything],
  },
  'with plaintext behind STARTTLS': {
    plain: [clientFlags(), option(Option.STARTTLS, 'data'), option(Option.STARTTLS), ...everything],
    throughTls: [option(Option.EXPORT_NAME, 'disk'), Buffer.from('rest')],
  },
  'of an old client': {
    plain: [clientFlags(1), option(Option.EXPORT_NAME, 'disk'), Buffer.from('rest')],
    throughTls: [],
  },
  'of a client that mixes styles': {
    plain: [clientFlags(), option(Option.EXTENDED_HEADERS), option(Option.EXPORT_NAME, 'disk')],
    throughTls: [],
  },
  'that is aborted': {
    plain: [clientFlags(), option(Option.INFO, infoData('disk')), option(Option.ABORT, 'bye')],
    throughTls: [],
  },
  'that loses its way': {
    plain: [clientFlags(), option(Option.LIST), Buffer.from('no option at all, but long')],
    throughTls: [],
  },
} satisfies Record<string, Session>;

/** What must not depend on how the streams were cut. */
export function outcome(
  tlsMode: TlsMode,
  plain: readonly Uint8Array[],
  throughTls: readonly Uint8Array[],
): string {
  return outcomeOf(converse(plain, { tlsMode, throughTls }));
}

/** The same, of a conversation that was had. */
export function outcomeOf(conversation: Conversation): string {
  const { sent, sentInPlain, questions, end, negotiated, remainder } = conversation;
  const bytes = { sent: sent.toString('base64'), remainder: remainder.toString('base64') };
  return JSON.stringify({ end, questions, negotiated, sentInPlain, ...bytes });
}
