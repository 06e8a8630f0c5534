import assert from 'node:assert/strict';
import type { ReplyMode } from '../handshake/reply-mode.js';
import { assemble } from './assemble.js';
import { chunkedRepliesOf, type ChunkedReply, type StatusChunk } from './chunks.js';
import { expectBytes } from './expect-bytes.js';
import type { ReferenceAnswer, ReferenceExport } from './reference-server.js';

const READ = 0;
const DF = 4;
const REQ_ONE = 8;

/** Holds replies in chunks against what the reference server answered; how content is cut is left to the machine. */
export function expectAnswers(
  sent: Uint8Array,
  answers: readonly ReferenceAnswer[],
  replyMode: ReplyMode,
  subject: ReferenceExport,
): void {
  const replies = chunkedRepliesOf(sent, replyMode);
  assert.equal(replies.length, answers.length, 'every request has one reply');
  answers.forEach((answer, index) => {
    const reply = replies[index];
    if (reply === undefined) throw new Error('every request has its reply');
    expectAnswer(reply, answer, replyMode, subject);
  });
}

function expectAnswer(
  reply: ChunkedReply,
  answer: ReferenceAnswer,
  replyMode: ReplyMode,
  subject: ReferenceExport,
): void {
  const { request, error, data, status } = answer;
  assert.equal(reply.cookie, request.cookie, 'a reply has the cookie of its request (T16)');
  const offset = replyMode === 'extended' ? request.offset : 0n;
  assert.equal(reply.offset, offset, 'a reply has the offset of its request (T12)');
  assert.equal(reply.error, error, 'the error');
  if (error !== 0) {
    assert.deepEqual(reply.chunks, [], 'an error has no content');
    assert.notEqual(reply.message, '', 'an error has a text');
  } else if (request.type === READ) {
    const { data: content, covered } = assemble(reply, Number(request.offset), data.length);
    assert.equal(covered, data.length, 'content covers the request (T9)');
    expectBytes(content, data);
    const isWhole = reply.chunks.length === 1 && reply.chunks[0]?.kind === 'data';
    assert.ok((request.flags & DF) === 0 || isWhole, 'DF is one chunk of data (T9)');
  } else {
    assert.deepEqual(
      reply.chunks.map((chunk) => (chunk.kind === 'status' ? chunk.contextId : chunk.kind)),
      status.map(({ contextId }) => contextId),
      'one status chunk for each context (T11)',
    );
    reply.chunks.forEach((chunk, index) => {
      if (chunk.kind === 'status') {
        expectStatus(chunk, answer, status[index]?.states ?? new Uint8Array(), subject);
      }
    });
  }
}

/** T11: extents follow one another, say the truth, differ from their neighbours, and only the last may overrun. */
function expectStatus(
  { contextId, extents }: StatusChunk,
  { request, statusLength }: ReferenceAnswer,
  states: Uint8Array,
  { blockSizeMinimum, metaContexts = [] }: ReferenceExport,
): void {
  const isDepth = metaContexts.find(({ id }) => id === contextId)?.name === 'qemu:allocation-depth';
  const check = (truth: boolean, what: string) => {
    if (!truth) throw new Error(`${what}: ${JSON.stringify(extents.map(({ length }) => length))}`);
  };
  let at = 0;
  for (const [index, { length, flags }] of extents.entries()) {
    const end = at + length;
    check(length > 0 && length % blockSizeMinimum === 0, 'extents are whole blocks');
    check(at < statusLength, 'only the last extent goes beyond what was asked');
    check(end <= states.length, 'extents lie within the export');
    check(flags !== extents[index - 1]?.flags, 'neighbours differ');
    for (; at < end; at += blockSizeMinimum) {
      const truth = (isDepth ? depthOf : stateOf)(states, at, at + blockSizeMinimum);
      if (Number(flags) !== truth) check(false, `extent ${index} says the truth`);
    }
  }
  if ((request.flags & REQ_ONE) !== 0) {
    check(extents.length === 1 && at <= statusLength, 'REQ_ONE is one extent, no longer than what was asked');
  }
}

/** What all of a block has. */
function stateOf(states: Uint8Array, from: number, to: number): number {
  let common = 0xff;
  for (let at = from; at < to && at < states.length; at += 1) common &= states[at] ?? 0;
  return common;
}

/** The uppermost layer that any of a block is in; 0 if none is. */
function depthOf(states: Uint8Array, from: number, to: number): number {
  let least = 0;
  for (let at = from; at < to && at < states.length; at += 1) {
    const depth = states[at] ?? 0;
    if (depth !== 0 && (least === 0 || depth < least)) least = depth;
  }
  return least;
}
