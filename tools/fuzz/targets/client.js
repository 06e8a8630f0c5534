/** The client's reading of replies, in all three reply modes, against the reference client. */
import assert from 'node:assert/strict';
import { NbdProtocolError } from '../../../libs/nbd-client/dist/errors/protocol-error.js';
import { ReplyMachine } from '../../../libs/nbd-client/dist/transmission/reply-machine.js';
import { BlockStatusReply } from '../../../libs/nbd-client/dist/transmission/replies/block-status-reply.js';
import { newBuffer } from '../../../libs/nbd-client/dist/transmission/replies/read-destination.js';
import { ReadReply } from '../../../libs/nbd-client/dist/transmission/replies/read-reply.js';
import { StatusReply } from '../../../libs/nbd-client/dist/transmission/replies/status-reply.js';
import { readByReference } from './client-reference.js';
import { caseOf, replyBoundaries, replyMessage, SETUP_BYTES } from './client-requests.js';
import { cut } from './setup.js';

/** @import { ContextExtents } from '../../../libs/nbd-client/dist/transmission/replies/block-status-reply.js' */
/** @import { IncomingReply, Settle } from '../../../libs/nbd-client/dist/transmission/replies/incoming-reply.js' */
/** @import { Target } from '../types.js' */
/** @import { Asked, ReplyMode } from './client-reference.js' */

/** @type {Target} */
export const client = {
  name: 'client',
  underTest: /nbd-client\/dist\/(?:transmission|extents)\//,
  setupBytes: SETUP_BYTES,
  inputBytesMax: 16_000,
  seeds: () => [0, 1, 2].map((mode) => Buffer.concat([Uint8Array.of(mode), Buffer.alloc(SETUP_BYTES - 1)])),
  message: replyMessage,
  boundaries: replyBoundaries,
  run: (input) => {
    const { mode, chunkSeed, requests } = caseOf(input);
    const stream = input.subarray(SETUP_BYTES);
    const expected = readByReference(mode, requests, stream);
    const whole = read(mode, requests, [stream]);
    const inPieces = read(mode, requests, cut(stream, chunkSeed));
    assert.deepEqual(inPieces, whole, 'the pieces in which input comes change nothing');
    assert.equal(
      whole.violation !== undefined,
      expected.isBroken,
      `a rule is broken or not: ${whole.violation}`,
    );
    assert.deepEqual(whole.outcomes, expected.outcomes, 'what requests came to');
  },
};

/**
 * @param {ReplyMode} mode
 * @param {readonly Asked[]} requests
 * @param {readonly Uint8Array[]} pieces
 */
function read(mode, requests, pieces) {
  /** @type {Map<bigint, string>} */
  const outcomes = new Map();
  /** @type {Map<number, IncomingReply>} */
  const inFlight = new Map();
  const settle = (/** @type {bigint} */ cookie, /** @type {string} */ outcome) => {
    assert.ok(!outcomes.has(cookie), 'a request is settled once (E3)');
    outcomes.set(cookie, outcome);
  };
  for (const asked of requests) inFlight.set(Number(asked.cookie), replyTo(mode, asked, settle));
  const machine = new ReplyMachine(mode, {
    find: (cookie) => inFlight.get(cookie),
    done: (cookie) => {
      assert.ok(outcomes.has(BigInt(cookie)), 'a cookie is free when its request is settled');
      assert.ok(inFlight.delete(cookie), 'a cookie is freed once');
    },
  });
  const received = pieces.reduce((sum, piece) => sum + piece.length, 0);
  try {
    for (const piece of pieces) {
      const lent = Uint8Array.from(piece);
      machine.push(lent);
      // A1: what was lent for the call is used again for something else.
      lent.fill(0xdb);
      assert.ok(machine.bufferedBytes <= received, 'no more is held than came (T19)');
    }
    return { violation: undefined, outcomes };
  } catch (error) {
    if (!(error instanceof NbdProtocolError)) throw error;
    return { violation: error.violation, outcomes };
  }
}

/**
 * @param {ReplyMode} mode
 * @param {Asked} asked
 * @param {(cookie: bigint, outcome: string) => void} settle
 * @returns {IncomingReply}
 */
function replyTo(mode, asked, settle) {
  const { cookie, command, offset, length, df, contexts, reqOne, blockSize, exportSize } = asked;
  const facts = { command, offset, length };
  /**
   * @template Result
   * @param {(result: Result) => string} digest
   * @returns {Settle<Result>}
   */
  const settling = (digest) => ({
    resolve: (result) => settle(cookie, digest(result)),
    reject: () => settle(cookie, 'error'),
  });
  if (command === 'READ') {
    const data = settling((/** @type {Buffer} */ result) => result.toString('base64'));
    return new ReadReply(facts, df, newBuffer(Number(length)), data);
  }
  if (command !== 'BLOCK_STATUS')
    return new StatusReply(
      facts,
      settling(() => ''),
    );
  const status = {
    extended: mode === 'extended',
    contexts: contexts.map((id) => ({ id, name: `x-test:${id}` })),
    reqOne,
    blockSizeMinimum: Number(blockSize),
    exportSize,
  };
  return new BlockStatusReply(facts, status, settling(digestOf));
}

/** @param {readonly ContextExtents[]} answers */
function digestOf(answers) {
  return answers
    .map(({ context, extents }) => {
      const texts = Array.from(
        { length: extents.count },
        (_, index) => `${extents.lengthOf(index)}:${extents.flagsOf(index)}`,
      );
      return `${context.slice('x-test:'.length)}=${texts.join(' ')}`;
    })
    .join(';');
}
