import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import { ClientFlag } from '../constants/handshake-flags.js';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { META_CONTEXTS_MAX } from '../limits.js';
import type { BlockSize } from './block-size.js';
import { encodeExportNameReply } from './export-name-reply.js';
import { negotiatedFor, type HandshakeFacts } from './handshake-facts.js';
import type { ExportDescription, ExportListing } from './handshake-request.js';
import type { Question } from './handshake-state.js';
import { encodeInfoBlockSize } from './info-block-size.js';
import { encodeInfoReplies } from './info-replies.js';
import type { MetaContext } from './meta-context.js';
import { flagsAreNegotiated } from './negotiated.js';
import { encodeOptionReply } from './option-reply.js';
import { encodeRepMetaContext } from './rep-meta-context.js';
import { encodeRepServer } from './rep-server.js';
import { encodeText } from './string.js';

/** A question of the given options. */
export type QuestionAbout<Code extends Question['option']> = Extract<Question, { option: Code }>;

/** What is about one export. */
export type ExportQuestion = QuestionAbout<typeof Option.INFO | typeof Option.GO | typeof Option.EXPORT_NAME>;

/** N4: one SERVER for each export, then ACK. */
export function encodeListing(listings: readonly ExportListing[]): Uint8Array {
  return Buffer.concat([
    ...listings.map((listing) =>
      encodeOptionReply(Option.LIST, OptionReplyType.SERVER, encodeRepServer(listing)),
    ),
    encodeOptionReply(Option.LIST, OptionReplyType.ACK),
  ]);
}

/** N5: what is announced of an export; the same for INFO, and for a GO that follows it. */
export function encodeDescription(
  question: ExportQuestion,
  description: ExportDescription,
  facts: HandshakeFacts,
): Uint8Array {
  assert(
    flagsAreNegotiated(description.transmissionFlags, negotiatedFor(question.exportName, facts)),
    'only what was negotiated is announced',
  );
  if (question.option === Option.EXPORT_NAME) {
    return encodeExportNameReply(description, (facts.clientFlags & ClientFlag.NO_ZEROES) !== 0);
  }
  return encodeInfoReplies(question.option, question.infoTypes, description);
}

/** N9: one META_CONTEXT for each, then ACK. */
export function encodeContexts(
  option: typeof Option.LIST_META_CONTEXT | typeof Option.SET_META_CONTEXT,
  contexts: readonly MetaContext[],
): Uint8Array {
  return Buffer.concat([
    ...contexts.map((context) =>
      encodeOptionReply(option, OptionReplyType.META_CONTEXT, encodeRepMetaContext(context)),
    ),
    encodeOptionReply(option, OptionReplyType.ACK),
  ]);
}

/** "The server MAY return NBD_REP_ERR_TOO_BIG if a request seeks to select too many contexts." */
export function encodeTooManyContexts(option: typeof Option.SET_META_CONTEXT): Uint8Array {
  const text = encodeText(`at most ${String(META_CONTEXTS_MAX)} contexts can be selected`);
  return encodeOptionReply(option, OptionReplyType.ERR_TOO_BIG, text);
}

/**
 * "A server sending an NBD_REP_ERR_BLOCK_SIZE_REQD error SHOULD ensure it first sends an NBD_INFO_BLOCK_SIZE
 * information reply".
 */
export function encodeBlockSizeRequired(
  option: typeof Option.INFO | typeof Option.GO,
  blockSize: BlockSize,
): Uint8Array {
  const text = encodeText('this export has block sizes that a client must ask for and keep to');
  return Buffer.concat([
    encodeOptionReply(option, OptionReplyType.INFO, encodeInfoBlockSize(blockSize)),
    encodeOptionReply(option, OptionReplyType.ERR_BLOCK_SIZE_REQD, text),
  ]);
}
