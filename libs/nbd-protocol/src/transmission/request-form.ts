import { AssertionFailure } from '@holdfast/foundation';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { EXTENDED_REQUEST_MAGIC, REQUEST_MAGIC } from '../constants/magic.js';
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
  /** Learns from a request that was parsed. @returns whether only what follows it tells if that is a payload */
  isInDoubt(header: Readonly<RequestHeader>): boolean;
  /** Whether a request may begin at `at`. */
  begins(view: DataView, at: number): boolean;
  /** The request in doubt had a payload: so have all WRITEs of this client. */
  assumePayloads(): void;
  /** Whether that has been found out. */
  readonly assumesPayloads: boolean;
}

// Classes rather than records of functions: the engine inlines methods, which run once per request.

class CompactRequests implements RequestForm {
  readonly headerBytes = REQUEST_BYTES;
  readonly assumesPayloads = false;

  parse(view: DataView, at: number, header: RequestHeader): boolean {
    return parseRequest(view, at, header);
  }

  payloadLength({ type, length }: Readonly<RequestHeader>): number {
    return type === Command.WRITE ? length : 0;
  }

  isInDoubt(): boolean {
    return false;
  }

  begins(view: DataView, at: number): boolean {
    return view.getUint32(at) === REQUEST_MAGIC;
  }

  assumePayloads(): void {
    throw new AssertionFailure('a compact request is never in doubt');
  }
}

/**
 * A payload is there exactly when PAYLOAD_LEN is set (T1), and "NBD_CMD_WRITE MUST use the flag". QEMU's client, 8.2 to
 * 10 at least, leaves it out and sends the payload all the same. So a WRITE without it is in doubt until the client has
 * shown what it means: a request behind it, or nothing, is one who keeps to the rule, and is answered EINVAL; other bytes
 * are a payload, and from then on every WRITE of this client has one. Whoever has set the flag once is never in doubt.
 */
class ExtendedRequests implements RequestForm {
  readonly headerBytes = EXTENDED_REQUEST_BYTES;
  #setsPayloadLen = false;
  #omitsPayloadLen = false;

  parse(view: DataView, at: number, header: RequestHeader): boolean {
    if (!parseExtendedRequest(view, at, header)) return false;
    if (this.#omitsPayloadLen && header.type === Command.WRITE) header.flags |= CommandFlag.PAYLOAD_LEN;
    return true;
  }

  payloadLength({ flags, length }: Readonly<RequestHeader>): number {
    return (flags & CommandFlag.PAYLOAD_LEN) === 0 ? 0 : length;
  }

  isInDoubt({ type, flags, length }: Readonly<RequestHeader>): boolean {
    if (type !== Command.WRITE) return false;
    if ((flags & CommandFlag.PAYLOAD_LEN) !== 0) {
      this.#setsPayloadLen = true;
      return false;
    }
    return !this.#setsPayloadLen && length > 0;
  }

  begins(view: DataView, at: number): boolean {
    return view.getUint32(at) === EXTENDED_REQUEST_MAGIC;
  }

  assumePayloads(): void {
    this.#omitsPayloadLen = true;
  }

  get assumesPayloads(): boolean {
    return this.#omitsPayloadLen;
  }
}

export function requestFormOf(replyMode: ReplyMode): RequestForm {
  return replyMode === 'extended' ? new ExtendedRequests() : new CompactRequests();
}
