/** The server's transmission, in all three reply modes, against the reference server and a decoder of its own. */
import assert from 'node:assert/strict';
import { assemble } from '../../../libs/nbd-protocol/dist/testing/assemble.js';
import { chunkedRepliesOf } from '../../../libs/nbd-protocol/dist/testing/chunks.js';
import { expectAnswers } from '../../../libs/nbd-protocol/dist/testing/expect-answers.js';
import { expectBytes } from '../../../libs/nbd-protocol/dist/testing/expect-bytes.js';
import { MemoryDriver } from '../../../libs/nbd-protocol/dist/testing/memory-driver.js';
import { serveByReference } from '../../../libs/nbd-protocol/dist/testing/reference-server.js';
import { requestBytesIn } from '../../../libs/nbd-protocol/dist/testing/wire.js';
import { cut } from './setup.js';
import { requestBoundaries, requestMessage } from './transmission-messages.js';
import { boundsGuard, SETUP_BYTES, subjectOf } from './transmission-subject.js';

/** @import { ReferenceAnswer, ReferenceOutcome } from '../../../libs/nbd-protocol/dist/testing/reference-server.js' */
/** @import { Target } from '../types.js' */

/** @typedef {ReturnType<typeof subjectOf>} Case */

const READ = 0;
const PROBE_COOKIE = 0xfeed_f00d_0bad_cafen;
/** The errors that NBD has. */
const ERRORS = new Set([1, 5, 12, 22, 28, 75, 95, 108]);

/** @type {Target} */
export const transmission = {
  name: 'transmission',
  underTest: /nbd-protocol\/dist\/transmission\//,
  setupBytes: SETUP_BYTES,
  inputBytesMax: 12_000,
  seeds: () => [0, 1, 2].map((mode) => Buffer.concat([Uint8Array.of(mode), Buffer.alloc(SETUP_BYTES - 1)])),
  message: requestMessage,
  boundaries: requestBoundaries,
  run: (input) => {
    const one = subjectOf(input);
    const sent = input.subarray(SETUP_BYTES);
    const { closeReason } = serveByReference(sent, one.subject);
    // T7: after whatever does not end the connection, a request is answered. The reference answers it, so we must.
    const isInSync = closeReason === 'end-of-stream';
    const stream = isInSync ? Buffer.concat([sent, probe(one)]) : sent;
    const reference = serveByReference(stream, one.subject);
    if (isInSync) assert.equal(reference.answers.at(-1)?.request.cookie, PROBE_COOKIE);
    if (one.faults !== undefined) {
      checkFaulty(one, stream, reference);
      return;
    }
    for (const chunks of [[stream], cut(stream, one.chunkSeed)]) {
      const driver = drive(one, chunks, () => 0);
      checkAnswers(driver, reference, one);
      assert.equal(driver.closeReason, reference.closeReason, 'why the connection ended');
      // Of a WRITE whose payload broke off, pieces may be on the export.
      if (reference.closeReason !== 'truncated-request') expectBytes(driver.image, reference.image);
    }
  },
};

/** @param {Case} one */
function probe({ subject }) {
  const { replyMode, blockSizeMinimum } = subject;
  return requestBytesIn(replyMode, { type: READ, cookie: PROBE_COOKIE, offset: 0, length: blockSizeMinimum });
}

/**
 * @param {Case} one
 * @param {readonly Uint8Array[]} chunks
 * @param {() => number} errno of the next operation
 */
function drive({ subject, buffers, preloadBytes }, chunks, errno) {
  const guard = boundsGuard(subject.image.length, buffers);
  const driver = new MemoryDriver({
    ...subject,
    ...buffers,
    fault: (operation) => {
      guard(operation);
      checkLookAhead(driver.machine, subject.image.length);
      return errno();
    },
  });
  if (subject.shuttingDown) driver.machine.beginShutdown();
  driver.serve(preloaded(driver.machine, chunks, preloadBytes));
  const memory = buffers.inputBytes + buffers.outputBytes;
  assert.ok(driver.bufferedBytesMax <= memory, 'no more is held than the buffers that were lent (T19)');
  return driver;
}

/**
 * Hands a machine what came with its connection.
 *
 * @param {MemoryDriver['machine']} machine
 * @param {readonly Uint8Array[]} chunks
 * @param {number} bytes
 * @returns {readonly Uint8Array[]} what comes later
 */
function preloaded(machine, chunks, bytes) {
  const [first, ...others] = chunks;
  if (first === undefined) return chunks;
  machine.preload(first.subarray(0, bytes));
  return [first.subarray(bytes), ...others];
}

/**
 * What a driver may read ahead lies within the export, too, and is bounded.
 *
 * @param {MemoryDriver['machine']} machine
 * @param {number} sizeBytes
 */
function checkLookAhead(machine, sizeBytes) {
  let visits = 0;
  machine.forEachQueuedRead((offset, length) => {
    visits += 1;
    assert.ok(
      offset >= 0 && length > 0 && offset + length <= sizeBytes,
      'a look ahead lies within the export',
    );
  });
  assert.ok(visits <= 64, 'a look ahead is bounded');
}

/**
 * @param {MemoryDriver} driver
 * @param {ReferenceOutcome} reference
 * @param {Case} one
 */
function checkAnswers(driver, reference, { subject }) {
  const { replyMode } = subject;
  if (replyMode === 'simple') expectBytes(driver.sent, reference.replies);
  else expectAnswers(driver.sent, reference.answers, replyMode, subject);
  assert.equal(driver.machine.counters.errors, reference.errors, 'errors are counted');
}

/**
 * With a disk that fails now and then: every request still has one well-formed reply with its cookie, in order, until a
 * simple reply cannot tell an error any more (T10).
 *
 * @param {Case} one
 * @param {Uint8Array} stream
 * @param {ReferenceOutcome} reference
 */
function checkFaulty(one, stream, reference) {
  const { every, errno } = one.faults ?? { every: 1, errno: 5 };
  let operations = 0;
  const driver = drive(one, cut(stream, one.chunkSeed), () => ((operations += 1) % every === 0 ? errno : 0));
  const isBroken = driver.closeReason === 'io-error';
  if (isBroken) assert.equal(one.subject.replyMode, 'simple', 'an error is told in chunks');
  else assert.equal(driver.closeReason, reference.closeReason, 'why the connection ended');
  if (one.subject.replyMode === 'simple') checkSimple(driver.sent, reference.answers, isBroken);
  else checkChunks(driver.sent, reference.answers, one.subject.replyMode);
}

/**
 * @param {Buffer} sent
 * @param {readonly ReferenceAnswer[]} answers
 * @param {boolean} isBroken
 */
function checkSimple(sent, answers, isBroken) {
  let at = 0;
  let replies = 0;
  for (const { request, error: expected } of answers) {
    if (at === sent.length && isBroken) return;
    assert.equal(sent.readUInt32BE(at), 0x67446698, 'a simple reply begins');
    const error = sent.readUInt32BE(at + 4);
    assert.equal(sent.readBigUInt64BE(at + 8), request.cookie, 'a reply has the cookie of its request (T16)');
    checkError(error, expected);
    at += 16 + (error === 0 && request.type === READ ? Number(request.length) : 0);
    replies += 1;
    if (at > sent.length) {
      assert.ok(isBroken, 'data is whole unless the connection broke (T10)');
      return;
    }
  }
  assert.equal(at, sent.length, 'nothing follows the last reply');
  assert.equal(replies, answers.length, 'every request has one reply');
}

/**
 * @param {Buffer} sent
 * @param {readonly ReferenceAnswer[]} answers
 * @param {'structured' | 'extended'} replyMode
 */
function checkChunks(sent, answers, replyMode) {
  const replies = chunkedRepliesOf(sent, replyMode);
  assert.equal(replies.length, answers.length, 'every request has one reply');
  answers.forEach(({ request, error: expected }, index) => {
    const reply = replies[index];
    assert.ok(reply !== undefined);
    assert.equal(reply.cookie, request.cookie, 'a reply has the cookie of its request (T16)');
    checkError(reply.error, expected);
    if (request.type !== READ || expected !== 0) return;
    const { covered } = assemble(reply, Number(request.offset), Number(request.length));
    if (reply.error === 0) assert.equal(covered, Number(request.length), 'content covers the request (T9)');
  });
}

/**
 * @param {number} error
 * @param {number} expected what is answered when the disk does not fail
 */
function checkError(error, expected) {
  if (expected !== 0) assert.equal(error, expected, 'what is refused never gets to the disk');
  else assert.ok(error === 0 || ERRORS.has(error), 'an error is one of NBD');
}
