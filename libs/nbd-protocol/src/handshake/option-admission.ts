import { ClientFlag } from '../constants/handshake-flags.js';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { STRING_BYTES_MAX } from '../limits.js';
import { tlsIsDue, type HandshakeFacts } from './handshake-facts.js';
import type { HandshakeEnd, HandshakeLimits } from './handshake-request.js';
import type { DataOption, StateIn } from './handshake-state.js';
import type { OptionHeader } from './option-header.js';

type Admission = StateIn<'option-data' | 'skipping' | 'closed'>;

const {
  ACK,
  ERR_UNSUP,
  ERR_POLICY,
  ERR_INVALID,
  ERR_TLS_REQD,
  ERR_SHUTDOWN,
  ERR_TOO_BIG,
  ERR_EXT_HEADER_REQD,
} = OptionReplyType;

/**
 * What becomes of an option, judged by its header alone: its data is read, or skipped and answered, or the handshake
 * ends. Only data of a bounded length is ever read.
 */
export function admitOption(header: OptionHeader, facts: HandshakeFacts, limits: HandshakeLimits): Admission {
  const { option, lengthBytes } = header;
  if (option === Option.EXPORT_NAME) return admitExportName(lengthBytes, facts);
  // "This is the only valid option in nonfixed newstyle negotiation": the client would not understand a reply.
  if ((facts.clientFlags & ClientFlag.FIXED_NEWSTYLE) === 0) return closed('not-fixed-newstyle');
  // "A server SHOULD ignore any data"; it is taken in first, so that the close does not cut the ACK off.
  if (option === Option.ABORT) return skip(header, ACK, '');
  if (tlsIsDue(facts) && option !== Option.STARTTLS) return skip(header, ERR_TLS_REQD, 'begin with STARTTLS');
  if (facts.stopping) return skip(header, ERR_SHUTDOWN, 'the server is stopping');

  switch (option) {
    case Option.STARTTLS:
      return admitStartTls(header, facts);
    case Option.LIST:
    case Option.EXTENDED_HEADERS:
      return readEmpty(option, header);
    case Option.STRUCTURED_REPLY:
      if (facts.agreements.replyMode !== 'extended') return readEmpty(option, header);
      return skip(header, ERR_EXT_HEADER_REQD, 'extended headers were negotiated, and take precedence');
    case Option.LIST_META_CONTEXT:
    case Option.SET_META_CONTEXT:
      if (facts.agreements.replyMode !== 'simple') return readBounded(option, header, limits);
      return skip(header, ERR_INVALID, 'negotiate structured replies or extended headers first');
    case Option.INFO:
    case Option.GO:
      return readBounded(option, header, limits);
    default:
      return skip(header, ERR_UNSUP, 'this option is not supported');
  }
}

/** It has no error replies: what stands against it ends the connection (N3). */
function admitExportName(lengthBytes: number, facts: HandshakeFacts): Admission {
  // N8, and also where the client left TLS out of question by not setting C_FIXED_NEWSTYLE.
  if (tlsIsDue(facts)) return closed('export-name-without-tls');
  if (facts.agreements.replyMode === 'extended') return closed('export-name-after-extended-headers');
  if (facts.stopping) return closed('export-name-while-stopping');
  if (lengthBytes > STRING_BYTES_MAX) return closed('bad-export-name');
  return { phase: 'option-data', option: Option.EXPORT_NAME, lengthBytes };
}

function admitStartTls(header: OptionHeader, { tlsMode, secured }: HandshakeFacts): Admission {
  if (tlsMode === 'off') return skip(header, ERR_POLICY, 'this server does not offer TLS');
  if (secured) return skip(header, ERR_INVALID, 'TLS has begun already');
  return readEmpty(Option.STARTTLS, header);
}

function readEmpty(option: DataOption, header: OptionHeader): Admission {
  if (header.lengthBytes === 0) return { phase: 'option-data', option, lengthBytes: 0 };
  return skip(header, ERR_INVALID, 'this option has no data');
}

function readBounded(option: DataOption, header: OptionHeader, limits: HandshakeLimits): Admission {
  const { lengthBytes } = header;
  if (lengthBytes <= limits.optionBytesMax) return { phase: 'option-data', option, lengthBytes };
  return skip(header, ERR_TOO_BIG, 'the option is too long');
}

function skip({ option, lengthBytes }: OptionHeader, answer: OptionReplyType, message: string): Admission {
  return { phase: 'skipping', option, remainingBytes: lengthBytes, answer, message };
}

function closed(reason: HandshakeEnd): Admission {
  return { phase: 'closed', reason };
}
