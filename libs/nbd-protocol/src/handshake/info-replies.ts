import { Buffer } from 'node:buffer';
import { InfoType } from '../constants/info-types.js';
import { OptionReplyType } from '../constants/option-replies.js';
import type { Option } from '../constants/options.js';
import type { ExportDescription } from './handshake-request.js';
import { encodeInfoBlockSize } from './info-block-size.js';
import { encodeInfoDescription } from './info-description.js';
import { encodeInfoExport } from './info-export.js';
import { encodeInfoName } from './info-name.js';
import { encodeOptionReply } from './option-reply.js';

/**
 * The successful answer to INFO or GO (section "Option types"): NBD_INFO_EXPORT always, of the others what was asked
 * for, then the ACK. It depends on nothing else, so a GO is answered like the same INFO before it (N5). Of an
 * export without a description none is sent.
 */
export function encodeInfoReplies(
  option: typeof Option.INFO | typeof Option.GO,
  infoTypes: ReadonlySet<number>,
  description: ExportDescription,
): Uint8Array {
  const infos = [encodeInfoExport(description)];
  if (infoTypes.has(InfoType.NAME)) infos.push(encodeInfoName(description));
  if (infoTypes.has(InfoType.DESCRIPTION) && description.description !== '') {
    infos.push(encodeInfoDescription(description));
  }
  if (infoTypes.has(InfoType.BLOCK_SIZE)) infos.push(encodeInfoBlockSize(description.blockSize));
  return Buffer.concat([
    ...infos.map((data) => encodeOptionReply(option, OptionReplyType.INFO, data)),
    encodeOptionReply(option, OptionReplyType.ACK),
  ]);
}
