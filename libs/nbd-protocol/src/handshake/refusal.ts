import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { hidesTlsExports, type HandshakeFacts } from './handshake-facts.js';
import type { Question } from './handshake-state.js';
import { encodeOptionReply } from './option-reply.js';
import { encodeText } from './string.js';

/** Why an owner refuses. */
export type RefusalReason =
  /** There is no such export. */
  | 'unknown'
  /** The export is there, which is no secret, and cannot be served now. */
  | 'unavailable'
  | 'policy'
  | 'shutdown'
  | 'platform'
  /** The export needs TLS, and the client has none. */
  | 'tls-required';

/** An option with error replies. */
type RefusableOption = Exclude<Question['option'], typeof Option.EXPORT_NAME>;

const REPLIES = {
  unknown: OptionReplyType.ERR_UNKNOWN,
  unavailable: OptionReplyType.ERR_UNKNOWN,
  policy: OptionReplyType.ERR_POLICY,
  shutdown: OptionReplyType.ERR_SHUTDOWN,
  platform: OptionReplyType.ERR_PLATFORM,
  // N8: "never TLS_REQD" where there is no TLS to be had.
  'tls-required': OptionReplyType.ERR_POLICY,
} as const satisfies Record<RefusalReason, OptionReplyType>;

/** The error reply to an option (N12). */
export function encodeRefusal(
  option: RefusableOption,
  reason: RefusalReason,
  message: string,
  facts: HandshakeFacts,
): Uint8Array {
  if (hidesTlsExports(facts) && (reason === 'unknown' || reason === 'tls-required')) {
    return encodeHidden(option);
  }
  return encodeOptionReply(option, REPLIES[reason], encodeText(message));
}

/**
 * N8, SELECTIVETLS: one answer for exports that need TLS and names that are not there, by type and by text, so that
 * clients without TLS "cannot enumerate exports". Only INFO and GO may say TLS_REQD.
 */
function encodeHidden(option: RefusableOption): Uint8Array {
  const [type, message] =
    option === Option.INFO || option === Option.GO
      ? [OptionReplyType.ERR_TLS_REQD, 'this export is not available without TLS']
      : [OptionReplyType.ERR_UNKNOWN, 'this export is not available'];
  return encodeOptionReply(option, type, encodeText(message));
}
