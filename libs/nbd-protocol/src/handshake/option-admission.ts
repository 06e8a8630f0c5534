import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { STRING_BYTES_MAX } from '../limits.js';
import type { HandshakeEnd, HandshakeLimits } from './handshake-request.js';
import type { StateIn } from './handshake-state.js';
import type { OptionHeader } from './option-header.js';

/**
 * What becomes of an option, judged by its header alone: its data is read, or skipped and answered, or the handshake
 * ends. Only data of a bounded length is ever read.
 */
export function admitOption(
  { option, lengthBytes }: OptionHeader,
  fixedNewstyle: boolean,
  limits: HandshakeLimits,
): StateIn<'option-data' | 'skipping' | 'closed'> {
  if (option === Option.EXPORT_NAME) {
    return lengthBytes > STRING_BYTES_MAX ? closed('bad-export-name') : read(option, lengthBytes);
  }
  // "This is the only valid option in nonfixed newstyle negotiation": the client would not understand a reply.
  if (!fixedNewstyle) return closed('not-fixed-newstyle');

  switch (option) {
    case Option.ABORT:
      // "A server SHOULD ignore any data"; it is taken in first, so that the close does not cut the ACK off.
      return skip(option, lengthBytes, OptionReplyType.ACK, '');
    case Option.LIST:
      if (lengthBytes === 0) return read(option, lengthBytes);
      return skip(option, lengthBytes, OptionReplyType.ERR_INVALID, 'LIST has no data');
    case Option.INFO:
    case Option.GO:
      if (lengthBytes <= limits.optionBytesMax) return read(option, lengthBytes);
      return skip(option, lengthBytes, OptionReplyType.ERR_TOO_BIG, 'the option is too long');
    default:
      return skip(option, lengthBytes, OptionReplyType.ERR_UNSUP, 'this option is not supported');
  }
}

function read(option: StateIn<'option-data'>['option'], lengthBytes: number): StateIn<'option-data'> {
  return { phase: 'option-data', option, lengthBytes };
}

function skip(
  option: number,
  remainingBytes: number,
  answer: OptionReplyType,
  message: string,
): StateIn<'skipping'> {
  return { phase: 'skipping', option, remainingBytes, answer, message };
}

function closed(reason: HandshakeEnd): StateIn<'closed'> {
  return { phase: 'closed', reason };
}
