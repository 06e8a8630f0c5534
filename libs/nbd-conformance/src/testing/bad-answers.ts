import { Buffer } from 'node:buffer';
import type { ArrivedRequest } from '@holdfast/nbd-client/testing/peer';
import { errorChunk, none, simpleReply, type Framing } from '@holdfast/nbd-client/testing/wire';
import type { ReplyMode } from '@holdfast/nbd-protocol';
import type { Faults, Instead, ModelState } from './model-export.js';

/** Differs in what is answered to one command. */
export function answering(
  type: number,
  answer: (request: ArrivedRequest, state: ModelState, good: Buffer) => Instead | undefined,
): Faults {
  return {
    request: (request, state, good) => (request.type === type ? answer(request, state, good) : undefined),
  };
}

/** How the reply to a request is framed. */
export const framing = ({ extended, cookie, offset }: ArrivedRequest): Framing => ({
  extended,
  cookie,
  offset,
});

/** Success without data, or an error, in the form of the mode. */
export function status(request: ArrivedRequest, mode: ReplyMode, error = 0): Buffer {
  if (mode === 'simple') return simpleReply(request.cookie, error);
  return error === 0 ? none(framing(request)) : errorChunk(framing(request), error);
}

/** Of the export of a model, as it is unless told. */
export function isPastEnd({ offset, length }: ArrivedRequest): boolean {
  return offset + length > 512n * 1024n;
}

/** Half of so many bytes. */
export const half = (length: bigint) => Buffer.alloc(Number(length) / 2, 1);
