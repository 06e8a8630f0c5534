import { Buffer } from 'node:buffer';
import type { ArrivedRequest } from '@holdfast/nbd-client/testing/peer';
import {
  blockStatus,
  DONE,
  errorChunk,
  none,
  offsetData,
  offsetHole,
  simpleReply,
  type Framing,
} from '@holdfast/nbd-client/testing/wire';
import { Command, CommandFlag, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import type { Model, ModelState } from './model-export.js';

const { FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO, PAYLOAD_LEN } = CommandFlag;
const { EINVAL, ENOSPC, EPERM } = NbdError;
/** Flags of each command, beside FUA. */
const flagsOf = new Map<number, number>([
  [Command.READ, DF],
  [Command.WRITE, 0],
  [Command.FLUSH, 0],
  [Command.TRIM, 0],
  [Command.CACHE, 0],
  [Command.WRITE_ZEROES, NO_HOLE | FAST_ZERO],
  [Command.BLOCK_STATUS, REQ_ONE],
]);
const changing: readonly number[] = [Command.WRITE, Command.TRIM, Command.WRITE_ZEROES];

/** What a good server answers to a request; the image follows. */
export function answerRequest(model: Model, state: ModelState, request: ArrivedRequest): Buffer {
  const { cookie, offset } = request;
  const framing: Framing = { extended: state.mode === 'extended', cookie, offset };
  const error = errorOf(model, state, request);
  if (error !== 0) {
    return state.mode === 'simple' ? simpleReply(cookie, error) : errorChunk(framing, error, 'no');
  }
  const from = Number(offset);
  const to = from + Number(request.length);
  switch (request.type) {
    case Command.READ:
      return readReply(model.image.subarray(from, to), state, framing, (request.flags & DF) !== 0);
    case Command.WRITE:
      model.image.set(request.payload, from);
      break;
    case Command.WRITE_ZEROES:
      model.image.fill(0, from, to);
      break;
    case Command.BLOCK_STATUS:
      return statusReply(state, framing, request);
    default:
  }
  return state.mode === 'simple' ? simpleReply(cookie) : none(framing);
}

/** In two chunks, the second a hole where there is one, unless the client wants it whole. */
function readReply(data: Buffer, state: ModelState, framing: Framing, whole: boolean): Buffer {
  const { cookie, offset } = framing;
  if (state.mode === 'simple') return simpleReply(cookie, 0, data);
  if (whole || data.length < 2) return offsetData(framing, offset, data, DONE);
  const half = data.length >> 1;
  const second = data.subarray(half);
  const at = offset + BigInt(half);
  return Buffer.concat([
    offsetData(framing, offset, data.subarray(0, half)),
    second.some((byte) => byte !== 0)
      ? offsetData(framing, at, second, DONE)
      : offsetHole(framing, at, second.length, DONE),
  ]);
}

function statusReply({ contextId = 0 }: ModelState, framing: Framing, request: ArrivedRequest): Buffer {
  const length = request.payload.length > 0 ? request.payload.readBigUInt64BE(0) : request.length;
  const extents: [bigint, bigint][] =
    (request.flags & REQ_ONE) === 0 && length > 1n
      ? [
          [length / 2n, 0n],
          [length - length / 2n, 3n],
        ]
      : [[length, 0n]];
  return Buffer.concat([blockStatus(framing, contextId, extents), none(framing)]);
}

function errorOf(model: Model, state: ModelState, request: ArrivedRequest): number {
  const { type, flags, offset, length, payload } = request;
  const allowed = flagsOf.get(type);
  if (allowed === undefined) return EINVAL;
  const hasPayload = state.mode === 'extended' && (flags & PAYLOAD_LEN) !== 0;
  const inMode = state.mode === 'simple' ? allowed & ~DF : allowed;
  if ((flags & ~(inMode | FUA | (hasPayload ? PAYLOAD_LEN : 0))) !== 0) return EINVAL;
  if ((flags & FAST_ZERO) !== 0 && (model.flags & TransmissionFlag.SEND_FAST_ZERO) === 0) return EINVAL;
  if (changing.includes(type) && (model.flags & TransmissionFlag.READ_ONLY) !== 0) return EPERM;
  if (type === Command.BLOCK_STATUS) {
    if (state.contextId === undefined) return EINVAL;
    if (hasPayload) return filterError(payload, state.contextId);
  } else if (hasPayload !== (state.mode === 'extended' && type === Command.WRITE)) {
    return EINVAL;
  }
  if (type === Command.FLUSH) return 0;
  if (length === 0n) return EINVAL;
  const [minimum] = model.blockSize;
  if (offset % BigInt(minimum) !== 0n || length % BigInt(minimum) !== 0n) return EINVAL;
  if (offset + length <= BigInt(model.image.length)) return 0;
  return type === Command.WRITE || type === Command.WRITE_ZEROES ? ENOSPC : EINVAL;
}

/** One id, and that the right one. */
function filterError(payload: Buffer, id: number): number {
  return payload.length === 12 && payload.readUInt32BE(8) === id ? 0 : EINVAL;
}
