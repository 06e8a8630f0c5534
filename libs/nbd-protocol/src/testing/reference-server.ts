import { Buffer } from 'node:buffer';
import type { ReplyMode } from '../handshake/reply-mode.js';
import type { TransmissionEnd } from '../transmission/step.js';
import { errorOfRequest, statusLengthOf } from './reference-validation.js';
import { simpleReplyBytes } from './wire.js';

/** What the reference server needs to know; numbers of the specification, written out a second time. */
export interface ReferenceExport {
  readonly image: Uint8Array;
  readonly transmissionFlags: number;
  readonly blockSizeMinimum: number;
  readonly payloadMaximum: number;
  readonly replyMode?: ReplyMode;
  readonly metaContexts?: readonly { readonly id: number; readonly name: string }[];
  /** What each context says of each byte. */
  readonly states?: Readonly<Record<string, Uint8Array>>;
  readonly shuttingDown?: boolean;
  /** WRITEs, TRIMs and WRITE_ZEROES that touch this byte fail with EIO. */
  readonly badByte?: number;
}

/** One request as the wire has it. */
export interface ReferenceRequest {
  readonly flags: number;
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly length: bigint;
  readonly payload: Buffer;
}

/** What one request is to be answered with. */
export interface ReferenceAnswer {
  readonly request: ReferenceRequest;
  readonly error: number;
  /** Of a READ that succeeds: the data. */
  readonly data: Buffer;
  /** Of a BLOCK_STATUS that succeeds: what the contexts say of each byte from its offset to the end of the export. */
  readonly status: readonly { readonly contextId: number; readonly states: Uint8Array }[];
  readonly statusLength: number;
}

export interface ReferenceOutcome {
  readonly answers: readonly ReferenceAnswer[];
  /** The answers as simple replies. */
  readonly replies: Uint8Array;
  readonly image: Uint8Array;
  readonly closeReason: TransmissionEnd;
  /** Replies that carry an error. */
  readonly errors: number;
}

const READ = 0;
const WRITE = 1;
const DISC = 2;
const TRIM = 4;
const WRITE_ZEROES = 6;
const BLOCK_STATUS = 7;
const PAYLOAD_LEN = 32;
const HOLE_AND_ZERO = 3;

/** The simplest server there is: the whole stream at once, one request after the other, no buffers, bigint offsets. */
export function serveByReference(stream: Uint8Array, subject: ReferenceExport): ReferenceOutcome {
  const image = Buffer.from(subject.image);
  const states = new Map(
    Object.entries(subject.states ?? {}).map(([name, bytes]) => [name, Uint8Array.from(bytes)]),
  );
  const bytes = Buffer.from(stream);
  const extended = subject.replyMode === 'extended';
  const headerBytes = extended ? 32 : 28;
  const answers: ReferenceAnswer[] = [];
  const outcome = (closeReason: TransmissionEnd) => ({
    answers,
    replies: Buffer.concat(
      answers.map(({ request, error, data }) => simpleReplyBytes(request.cookie, error, data)),
    ),
    image,
    closeReason,
    errors: answers.filter(({ error }) => error !== 0).length,
  });

  // QEMU never sets PAYLOAD_LEN: told by what follows its first WRITE.
  let setsFlag = false;
  let omitsFlag = false;
  for (let at = 0; ;) {
    if (at === bytes.length) return outcome('end-of-stream');
    if (bytes.length - at < headerBytes) return outcome('truncated-request');
    if (bytes.readUInt32BE(at) !== (extended ? 0x21e41c71 : 0x25609513)) return outcome('bad-magic');
    const header = {
      flags: bytes.readUInt16BE(at + 4),
      type: bytes.readUInt16BE(at + 6),
      cookie: bytes.readBigUInt64BE(at + 8),
      offset: bytes.readBigUInt64BE(at + 16),
      length: extended ? bytes.readBigUInt64BE(at + 24) : BigInt(bytes.readUInt32BE(at + 24)),
    };
    at += headerBytes;
    if (header.type === DISC) return outcome('disconnect');
    if (extended && header.type === WRITE) {
      const flagged = (header.flags & PAYLOAD_LEN) !== 0;
      const isFollowed = bytes.length - at >= 4 && bytes.readUInt32BE(at) !== 0x21e41c71;
      if (!flagged && !setsFlag && header.length > 0n && isFollowed) omitsFlag = true;
      if (flagged) setsFlag = true;
      if (omitsFlag) header.flags |= PAYLOAD_LEN;
    }

    const hasPayload = extended ? (header.flags & PAYLOAD_LEN) !== 0 : header.type === WRITE;
    const payloadLength = hasPayload ? header.length : 0n;
    if (payloadLength > BigInt(subject.payloadMaximum)) return outcome('payload-too-large');
    const payload = bytes.subarray(at, at + Number(payloadLength));
    if (BigInt(payload.length) < payloadLength) return outcome('truncated-request');
    at += payload.length;

    answers.push(answer({ ...header, payload }, subject, image, states));
  }
}

function answer(
  request: ReferenceRequest,
  subject: ReferenceExport,
  image: Buffer,
  states: ReadonlyMap<string, Uint8Array>,
): ReferenceAnswer {
  const { type, payload } = request;
  const error = errorOfRequest(request, subject);
  const nothing = { request, error, data: Buffer.alloc(0), status: [], statusLength: 0 };
  if (error !== 0) return nothing;
  const from = Number(request.offset);
  const to = from + Number(request.length);
  const allocation = states.get('base:allocation');
  if (type === WRITE) {
    image.set(payload, from);
    allocation?.fill(0, from, to);
  }
  if (type === TRIM || type === WRITE_ZEROES) {
    image.fill(0, from, to);
    allocation?.fill(HOLE_AND_ZERO, from, to);
  }
  if (type === READ) return { ...nothing, data: Buffer.from(image.subarray(from, to)) };
  if (type !== BLOCK_STATUS) return nothing;
  const asked = (subject.metaContexts ?? []).filter(({ id }) => isAsked(request, id));
  const status = asked.map(({ id, name }) => ({
    contextId: id,
    states: Uint8Array.from((states.get(name) ?? new Uint8Array(image.length)).subarray(from)),
  }));
  return { ...nothing, status, statusLength: statusLengthOf(request) };
}

function isAsked({ flags, payload }: ReferenceRequest, id: number): boolean {
  if ((flags & PAYLOAD_LEN) === 0) return true;
  for (let at = 8; at < payload.length; at += 4) if (payload.readUInt32BE(at) === id) return true;
  return false;
}
