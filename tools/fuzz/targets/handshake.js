/** The server's handshake, with and without TLS, against the reference handshake. */
import assert from 'node:assert/strict';
import { converse, OWNER } from '../../../libs/nbd-protocol/dist/testing/conversation.js';
import { outcomeOf, SESSIONS } from '../../../libs/nbd-protocol/dist/testing/handshake-sessions.js';
import { contextData, infoData, option } from '../../../libs/nbd-protocol/dist/testing/handshake-wire.js';
import { ACK, handshakeByReference } from './handshake-reference.js';
import { cut, Setup } from './setup.js';

/** @import { Conversation } from '../../../libs/nbd-protocol/dist/testing/conversation.js' */
/** @import { Random } from '../random.js' */
/** @import { Target } from '../types.js' */
/** @import { Expectation } from './handshake-reference.js' */

const SETUP_BYTES = 8;
const MODES = /** @type {const} */ (['off', 'required', 'per-export']);
const LIST = 3;
/** What may be held: one option that is not whole yet. */
const HELD_BYTES_MAX = 4 + 4096 + 4 + (4 + 256) * 64 + 16;

/** @type {Target} */
export const handshake = {
  name: 'handshake',
  underTest: /nbd-protocol\/dist\/handshake\//,
  setupBytes: SETUP_BYTES,
  inputBytesMax: 24_000,
  seeds: () =>
    Object.values(SESSIONS).flatMap(({ plain, throughTls }) =>
      MODES.map((_, mode) => seed(mode, plain, throughTls)),
    ),
  message: optionMessage,
  boundaries: (input) => {
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    const starts = [];
    for (let at = bytes.indexOf('IHAVEOPT', SETUP_BYTES); at !== -1; at = bytes.indexOf('IHAVEOPT', at + 8))
      starts.push(at);
    return starts;
  },
  run: (input) => {
    const { setting, plain, secured, chunkSeed, owner } = subjectOf(input);
    const expectation = handshakeByReference(plain, setting);
    const { tlsMode, stopping } = setting;
    const throughTls = setting.throughTls && cut(secured, chunkSeed + 1);
    const conversation = converse(cut(plain, chunkSeed), {
      tlsMode,
      owner,
      stopping,
      ...(throughTls && { throughTls }),
    });
    checkConversation(conversation, expectation);
    assert.ok(conversation.bufferedBytesMax <= HELD_BYTES_MAX, 'no more than one option is held (N10)');
    // However the stream is cut, everything is the same.
    const whole = converse([plain], {
      tlsMode,
      owner,
      stopping,
      ...(throughTls && { throughTls: [secured] }),
    });
    assert.equal(outcomeOf(whole), outcomeOf(conversation), 'the pieces in which input comes change nothing');
    checkSync(input, expectation);
  },
};

/**
 * @param {number} mode
 * @param {readonly Uint8Array[]} plain
 * @param {readonly Uint8Array[]} throughTls
 */
function seed(mode, plain, throughTls) {
  const first = Buffer.concat(plain);
  const setup = Buffer.from([mode, throughTls.length > 0 ? 1 : 0, 0, 0, 1, 0, 0, 0]);
  setup.writeUInt16BE(first.length, 6);
  return Buffer.concat([setup, first, ...throughTls]);
}

/** @param {Uint8Array} input */
function subjectOf(input) {
  const setup = new Setup(input);
  const tlsMode = setup.pick(MODES);
  const hasTls = (setup.uint8() & 1) === 1;
  const refusals = setup.uint8();
  const chunkSeed = (setup.uint8() << 16) | setup.uint16();
  const plainBytes = Buffer.from(input.buffer, input.byteOffset + 6, 2).readUInt16BE(0);
  const stream = input.subarray(SETUP_BYTES);
  const plain = hasTls ? stream.subarray(0, plainBytes) : stream;
  const secured = hasTls ? stream.subarray(plainBytes) : new Uint8Array();
  const setting = {
    tlsMode,
    throughTls: hasTls ? secured : undefined,
    stopping: (refusals & 0x88) === 0x88,
    blockSizeRequired: (refusals & 0x11) === 0x11,
    listingsRefused: (refusals & 0x22) === 0x22,
    contextsRefused: (refusals & 0x44) === 0x44,
  };
  /** @type {typeof OWNER} */
  const owner = {
    ...OWNER,
    blockSizeRequired: setting.blockSizeRequired,
    ...(setting.listingsRefused && { listings: /** @type {const} */ ('policy') }),
    ...(setting.contextsRefused && { contexts: /** @type {const} */ ('policy') }),
  };
  return { setting, plain, secured, chunkSeed, owner };
}

/**
 * Every option has one final reply, which is the right one, in order; and what was agreed on is what was asked for.
 *
 * @param {Conversation} conversation
 * @param {Expectation} expectation
 */
function checkConversation({ sent, end, negotiated, questions, sentInPlain }, expectation) {
  assert.equal(end, expectation.end, 'how the handshake ended');
  let at = 0;
  for (const { option: code, reply, informations } of expectation.expected) {
    let seen = 0;
    for (;;) {
      assert.ok(at + 20 <= sent.length, 'every option has a final reply');
      assert.equal(sent.readBigUInt64BE(at), 0x3e889045565a9n, 'an option reply begins');
      assert.equal(sent.readUInt32BE(at + 8), code, 'replies come in the order of options');
      const type = sent.readUInt32BE(at + 12);
      const length = sent.readUInt32BE(at + 16);
      const data = sent.subarray(at + 20, at + 20 + length);
      at += 20 + length;
      if (type !== ACK && type < 2 ** 31) {
        seen += 1;
        checkInformation(code, type, data);
        continue;
      }
      assert.equal(type, reply, 'the final reply to an option');
      if (type === ACK) assert.equal(length, 0, 'an ACK has no data');
      else assert.ok(length <= 4096 && !data.includes(0), 'the text of an error is a string');
      break;
    }
    if (informations >= 0) assert.equal(seen, informations, 'what comes before the final reply');
    else assert.ok(seen >= 1, 'an export is described');
  }
  if (expectation.tls && expectation.expected.length === 0) assert.equal(questions.length, 0);
  assert.ok(sentInPlain <= sent.length);
  if (end !== 'transmission') {
    assert.equal(at, sent.length, 'nothing is sent that no option asked for');
    return;
  }
  assert.deepEqual(
    {
      mode: negotiated?.replyMode,
      tls: negotiated?.tls,
      contexts: negotiated?.contexts.map(({ name }) => name),
    },
    { mode: expectation.replyMode, tls: expectation.tls, contexts: expectation.contexts },
    'what was negotiated',
  );
  const ids = new Set(negotiated?.contexts.map(({ id }) => id));
  assert.equal(ids.size, expectation.contexts.length, 'ids of contexts are unique (N9)');
  // EXPORT_NAME: size and flags without a header, and perhaps 124 zeroes (N3).
  assert.ok([0, 10, 134].includes(sent.length - at), 'nothing is sent that no option asked for');
}

/**
 * @param {number} code
 * @param {number} type
 * @param {Buffer} data
 */
function checkInformation(code, type, data) {
  const types = /** @type {Record<number, number>} */ ({ 3: 2, 6: 3, 7: 3, 9: 4, 10: 4 });
  assert.equal(type, types[code], 'a reply is of a kind that its option has');
  if (type === 3) {
    const lengths = /** @type {Record<number, number>} */ ({ 0: 12, 3: 14 });
    const kind = data.readUInt16BE(0);
    assert.equal(data.length, lengths[kind] ?? data.length, 'an information has the length of its kind');
    if (kind === 0) assert.equal(data.readBigUInt64BE(2), 0x0102_0304_0506_0708n, 'the size of the export');
  }
}

/**
 * Where a handshake waits for the next option, one that is asked then is answered (N1).
 *
 * @param {Uint8Array} input
 * @param {Expectation} expectation
 */
function checkSync(input, expectation) {
  const { setting, plain, secured, owner } = subjectOf(input);
  const stream = expectation.tls ? secured : plain;
  const isWaiting =
    expectation.end === 'still open' && expectation.consumed === stream.length && stream.length > 0;
  if (!isWaiting) return;
  const more = Buffer.concat([stream, option(LIST)]);
  const { tlsMode, stopping } = setting;
  const after = expectation.tls
    ? { first: plain, then: { ...setting, throughTls: more } }
    : { first: more, then: setting };
  const next = handshakeByReference(after.first, after.then);
  const { throughTls } = after.then;
  const conversation = converse([after.first], {
    tlsMode,
    owner,
    stopping,
    ...(throughTls && { throughTls: [throughTls] }),
  });
  checkConversation(conversation, next);
  if (next.end !== 'options-limit' && next.end !== 'not-fixed-newstyle') {
    assert.equal(next.expected.at(-1)?.option, LIST, 'an option that follows is answered');
  }
}

/** @type {(random: Random) => Uint8Array} */
function optionMessage(random) {
  const name = random.pick([
    'disk',
    'disk',
    'disk',
    'secret',
    'hidden',
    'missing',
    '',
    'disk\0',
    'd\u00efsk',
    '\ufeffdisk',
  ]);
  const queries = () =>
    Array.from({ length: random.below(random.oneIn(20) ? 70 : 4) }, () =>
      random.pick([
        'base:',
        'base:allocation',
        'x-holdfast:',
        'x-holdfast:wide',
        'x-holdfast:bitmap:a',
        'no colon',
        ':',
        '',
      ]),
    );
  const types = () =>
    Array.from({ length: random.below(5) }, () => random.below(random.oneIn(8) ? 0x10000 : 5));
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
      return option(6, infoData(name, ...types()));
    case 3:
      return option(7, infoData(name, ...types()));
    case 4:
    case 5:
      return option(9, contextData(name, ...queries()));
    case 6:
    case 7:
      return option(10, contextData(name, ...queries()));
    case 8:
      return option(random.pick([3, 8, 11, 5]));
    case 9:
      return option(random.pick([8, 11]));
    case 10:
      return option(random.pick([5, 3]));
    case 11:
      return option(random.oneIn(2) ? random.below(14) : random.uint32(), random.bytes(random.below(40)));
    case 12:
      return option(1, name);
    default:
      return random.oneIn(6)
        ? option(random.below(13), Buffer.alloc(4000 + random.below(18_000), 97))
        : option(2);
  }
}
