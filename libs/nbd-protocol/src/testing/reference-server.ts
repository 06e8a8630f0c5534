import { Buffer } from 'node:buffer';
import type { TransmissionEnd } from '../transmission/step.js';
import { simpleReplyBytes } from './wire.js';

/** What the reference server needs to know; numbers of the specification, written out a second time. */
export interface ReferenceExport {
  readonly image: Uint8Array;
  readonly transmissionFlags: number;
  readonly blockSizeMinimum: number;
  readonly payloadMaximum: number;
  readonly shuttingDown?: boolean;
  /** WRITEs, TRIMs and WRITE_ZEROES that touch this byte fail with EIO. */
  readonly badByte?: number;
}

export interface ReferenceOutcome {
  readonly replies: Uint8Array;
  readonly image: Uint8Array;
  readonly closeReason: TransmissionEnd;
  /** Replies that carry an error. */
  readonly errors: number;
}

const READ = 0;
const WRITE = 1;
const DISC = 2;
const FLUSH = 3;
const TRIM = 4;
const WRITE_ZEROES = 6;

/** The simplest server there is: the whole stream at once, one request after the other, no buffers, bigint offsets. */
export function serveByReference(stream: Uint8Array, subject: ReferenceExport): ReferenceOutcome {
  const image = Buffer.from(subject.image);
  const bytes = Buffer.from(stream);
  const replies: Uint8Array[] = [];
  let errors = 0;
  const outcome = (closeReason: TransmissionEnd) => ({
    replies: Buffer.concat(replies),
    image,
    closeReason,
    errors,
  });

  let at = 0;
  for (;;) {
    if (at === bytes.length) return outcome('end-of-stream');
    if (bytes.length - at < 28) return outcome('truncated-request');
    if (bytes.readUInt32BE(at) !== 0x25609513) return outcome('bad-magic');
    const flags = bytes.readUInt16BE(at + 4);
    const type = bytes.readUInt16BE(at + 6);
    const cookie = bytes.readBigUInt64BE(at + 8);
    const offset = bytes.readBigUInt64BE(at + 16);
    const length = bytes.readUInt32BE(at + 24);
    at += 28;
    if (type === DISC) return outcome('disconnect');

    const payloadLength = type === WRITE ? length : 0;
    if (payloadLength > subject.payloadMaximum) return outcome('payload-too-large');

    const error = errorOf(type, flags, offset, length, subject);
    const from = Number(offset);
    const payload = bytes.subarray(at, at + payloadLength);
    if (payload.length < payloadLength) return outcome('truncated-request');
    at += payloadLength;
    if (error === 0 && type === WRITE) image.set(payload, from);
    if (error === 0 && (type === TRIM || type === WRITE_ZEROES)) image.fill(0, from, from + length);
    const data = error === 0 && type === READ ? image.subarray(from, from + length) : Buffer.alloc(0);
    replies.push(simpleReplyBytes(cookie, error, data));
    if (error !== 0) errors += 1;
  }
}

function errorOf(
  type: number,
  flags: number,
  offset: bigint,
  length: number,
  subject: ReferenceExport,
): number {
  const offers = (bit: number) => (subject.transmissionFlags & (1 << bit)) !== 0;
  const writes = [WRITE, TRIM, WRITE_ZEROES].includes(type);
  const offered: Record<number, boolean> = {
    [READ]: true,
    [WRITE]: true,
    [FLUSH]: offers(2),
    [TRIM]: offers(5),
    [WRITE_ZEROES]: offers(6),
  };
  const zeroing = type === WRITE_ZEROES;
  const legalFlags = (offers(3) ? 1 : 0) | (zeroing ? 2 : 0) | (zeroing && offers(11) ? 16 : 0);
  const size = BigInt(subject.image.length);
  const minimum = BigInt(subject.blockSizeMinimum);
  const end = offset + BigInt(length);

  if (subject.shuttingDown === true) return 108;
  if (offered[type] === undefined) return 22;
  if (writes && offers(1)) return 1;
  if (!offered[type]) return 22;
  if ((flags | legalFlags) !== legalFlags) return 22;
  if (type === FLUSH) return end === 0n ? 0 : 22;
  if (length === 0) return 22;
  if (type === READ && length > subject.payloadMaximum) return 22;
  if (end > size) return type === WRITE || zeroing ? 28 : 22;
  if (offset % minimum !== 0n || BigInt(length) % minimum !== 0n) return 22;
  const { badByte } = subject;
  if (badByte !== undefined && writes && offset <= badByte && badByte < end) return 5;
  return 0;
}
