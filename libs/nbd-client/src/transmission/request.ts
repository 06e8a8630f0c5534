import { Buffer } from 'node:buffer';
import {
  Command,
  CommandFlag,
  encodeExtendedRequest,
  encodeRequest,
  EXTENDED_REQUEST_BYTES,
  REQUEST_BYTES,
  type ReplyMode,
} from '@holdfast/nbd-protocol';
import { NbdRequestError } from '../errors/request-error.js';

export type CommandName = Exclude<keyof typeof Command, 'DISC'>;

/** A request as it goes on the wire, apart from its cookie (section "Request message"). */
export interface WireRequest {
  /** A `Command`, or any other 16 bits of a caller who probes. */
  readonly type: number;
  /** Union of `CommandFlag`. */
  readonly flags: number;
  /** Bytes from the start of the export; 64 bits. */
  readonly offset: bigint;
  /** Bytes of the payload, or of the export if there is none; 32 bits, with extended headers 64. */
  readonly length: bigint;
  readonly payload: Uint8Array | undefined;
}

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

/** Where the offset stands in a header, compact or extended. */
const OFFSET_AT = 16;
/** Where the length stands in an extended header. */
const LENGTH_AT = 24;

/** Longest range of one request: the length has 32 bits, with extended headers 64. */
export function lengthMaximum(mode: ReplyMode): bigint {
  return mode === 'extended' ? UINT64_MAX : 0xffff_ffffn;
}

/** @throws NbdRequestError of anything but a whole number of 64 bits */
export function toUint64(value: number | bigint, what: string): bigint {
  if (typeof value === 'bigint' ? value >= 0n : Number.isInteger(value) && value >= 0) {
    const whole = BigInt(value);
    if (whole <= UINT64_MAX) return whole;
  }
  throw new NbdRequestError('not-a-number', `the ${what} is ${String(value)}, not a whole number of 64 bits`);
}

/**
 * The rules that even a prober must keep, since a message that breaks them cannot be written, or leaves the server in the
 * middle of one.
 */
export function assertSendable(mode: ReplyMode, { type, flags, length, payload }: WireRequest): void {
  if (length > lengthMaximum(mode)) {
    throw new NbdRequestError(
      'too-long',
      `${length} bytes are more than one request can ask for without extended headers`,
    );
  }
  const hasPayload = mode === 'extended' ? (flags & CommandFlag.PAYLOAD_LEN) !== 0 : type === Command.WRITE;
  const expected = hasPayload ? length : 0n;
  if (BigInt(payload?.length ?? 0) !== expected) {
    throw new NbdRequestError(
      'bad-payload',
      `the payload has ${String(payload?.length ?? 0)} bytes, and the header says ${expected}`,
    );
  }
}

/** Writes the header of a request that is {@link assertSendable}. */
export function encodeRequestHeader(mode: ReplyMode, cookie: number, request: WireRequest): Uint8Array {
  const { type, flags, offset, length } = request;
  const extended = mode === 'extended';
  const bytes = Buffer.alloc(extended ? EXTENDED_REQUEST_BYTES : REQUEST_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  (extended ? encodeExtendedRequest : encodeRequest)(view, 0, {
    type,
    flags,
    cookieHigh: Math.floor(cookie / 2 ** 32) | 0,
    cookieLow: cookie | 0,
    offset: Number(offset),
    length: Number(length),
  });
  // Numbers are exact up to 2^53−1; what is beyond is written over them.
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) view.setBigUint64(OFFSET_AT, offset);
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) view.setBigUint64(LENGTH_AT, length);
  return bytes;
}
