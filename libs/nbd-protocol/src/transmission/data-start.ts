import type { ReplyMode } from '../handshake/reply-mode.js';
import { EXTENDED_REPLY_BYTES } from './messages/extended-reply.js';
import { OFFSET_DATA_START_BYTES } from './messages/offset-data.js';
import { SIMPLE_REPLY_BYTES } from './messages/simple-reply.js';
import { STRUCTURED_REPLY_BYTES } from './messages/structured-reply.js';

/** Bytes of a reply to READ before its data: where the data of the first lies in the output buffer. */
export function dataStartBytes(replyMode: ReplyMode): number {
  switch (replyMode) {
    case 'simple':
      return SIMPLE_REPLY_BYTES;
    case 'structured':
      return STRUCTURED_REPLY_BYTES + OFFSET_DATA_START_BYTES;
    case 'extended':
      return EXTENDED_REPLY_BYTES + OFFSET_DATA_START_BYTES;
  }
}
