import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import type { ReplyMode } from '../handshake/reply-mode.js';
import { EXTENDED_REQUEST_BYTES, parseExtendedRequest } from './messages/extended-request.js';
import { parseRequest, REQUEST_BYTES, type RequestHeader } from './messages/request.js';

/** How requests look on the wire of one session (section "Request message"). */
export interface RequestForm {
  readonly headerBytes: number;
  /** Reads the header at `at`; false if no request begins there. */
  parse(view: DataView, at: number, header: RequestHeader): boolean;
  /** Bytes that follow the header (T1). */
  payloadLength(header: Readonly<RequestHeader>): number;
}

// Classes rather than records of functions: the engine inlines methods, which run once per request.

class CompactRequests implements RequestForm {
  readonly headerBytes = REQUEST_BYTES;

  parse(view: DataView, at: number, header: RequestHeader): boolean {
    return parseRequest(view, at, header);
  }

  payloadLength({ type, length }: Readonly<RequestHeader>): number {
    return type === Command.WRITE ? length : 0;
  }
}

class ExtendedRequests implements RequestForm {
  readonly headerBytes = EXTENDED_REQUEST_BYTES;

  parse(view: DataView, at: number, header: RequestHeader): boolean {
    return parseExtendedRequest(view, at, header);
  }

  payloadLength({ flags, length }: Readonly<RequestHeader>): number {
    return (flags & CommandFlag.PAYLOAD_LEN) === 0 ? 0 : length;
  }
}

export function requestFormOf(replyMode: ReplyMode): RequestForm {
  return replyMode === 'extended' ? new ExtendedRequests() : new CompactRequests();
}
