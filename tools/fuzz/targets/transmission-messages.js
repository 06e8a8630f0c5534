/** Requests that are right in most of their fields. */
import { filterBytes, pattern, requestBytesIn } from '../../../libs/nbd-protocol/dist/testing/wire.js';
import { CONTEXTS, PAYLOAD_MAXIMUM, SETUP_BYTES } from './transmission-subject.js';

/** @import { Random } from '../random.js' */

const [READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS] = [0, 1, 2, 3, 4, 5, 6, 7];
const COMMANDS = [
  ...[READ, READ, READ, WRITE, WRITE, WRITE, FLUSH, TRIM, TRIM, CACHE, WRITE_ZEROES, WRITE_ZEROES],
  ...[BLOCK_STATUS, BLOCK_STATUS, BLOCK_STATUS, BLOCK_STATUS, 8, 99, 0xffff],
];
const PAYLOAD_LEN = 32;
/** Where the lower half of the flags is in a request. */
const FLAGS_LOW_AT = 5;
/** FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO. */
const FLAGS = [1, 2, 4, 8, 16];

/** @param {Uint8Array} input */
export function replyModeOf(input) {
  return /** @type {const} */ (['simple', 'structured', 'extended'])[(input[0] ?? 0) % 3] ?? 'simple';
}

/** @type {(random: Random, input: Uint8Array) => Buffer} */
export function requestMessage(random, input) {
  const replyMode = replyModeOf(input);
  const type = random.oneIn(150) ? DISC : random.pick(COMMANDS);
  const flags = random.oneIn(3) ? random.pick(FLAGS) : random.oneIn(30) ? random.below(0x10000) : 0;
  const cookie = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  const offset = offsetOf(random);
  const length = lengthOf(random);
  const request = { type, flags, cookie, offset };
  if (type === FLUSH && !random.oneIn(8)) return requestBytesIn(replyMode, { type, flags, cookie });
  if (type === BLOCK_STATUS && replyMode === 'extended' && random.oneIn(2)) {
    return requestBytesIn(replyMode, { ...request, payload: filterOf(random, length) });
  }
  const hasPayload = type === WRITE || (replyMode === 'extended' && random.oneIn(12));
  if (!hasPayload) return requestBytesIn(replyMode, { ...request, length });
  const payload = pattern(Math.min(length, random.oneIn(20) ? PAYLOAD_MAXIMUM + 1 : 300), random.below(256));
  const bytes = requestBytesIn(replyMode, { ...request, payload });
  // QEMU's client leaves PAYLOAD_LEN out.
  if (replyMode === 'extended' && type === WRITE && random.oneIn(6)) {
    bytes.writeUInt8(bytes.readUInt8(FLAGS_LOW_AT) & ~PAYLOAD_LEN, FLAGS_LOW_AT);
  }
  return bytes;
}

/** @param {Random} random */
function offsetOf(random) {
  if (random.oneIn(30)) return (1n << 64n) - BigInt(1 + random.below(9000));
  if (random.oneIn(30)) return (1n << BigInt(random.below(64))) - BigInt(random.below(2));
  return BigInt(random.oneIn(2) ? 512 * random.below(17) : random.below(8300));
}

/** @param {Random} random */
function lengthOf(random) {
  if (random.oneIn(40))
    return random.pick([0, PAYLOAD_MAXIMUM, PAYLOAD_MAXIMUM + 1, 0x7fff_ffff, 0xffff_ffff]);
  return random.oneIn(2) ? 512 * random.below(9) : random.below(random.oneIn(4) ? 6100 : 300);
}

/**
 * @param {Random} random
 * @param {number} length
 */
function filterOf(random, length) {
  if (random.oneIn(10)) return random.bytes(random.below(40));
  const ids = Array.from({ length: random.below(4) }, () =>
    random.pick([...CONTEXTS.map(({ id }) => id), 8]),
  );
  return filterBytes(length, ...ids);
}

/**
 * Where requests begin; what is no request is skipped up to the next magic number.
 *
 * @param {Uint8Array} input
 */
export function requestBoundaries(input) {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const magic = Buffer.from(replyModeOf(input) === 'extended' ? '21e41c71' : '25609513', 'hex');
  const starts = [];
  for (let at = bytes.indexOf(magic, SETUP_BYTES); at !== -1; at = bytes.indexOf(magic, at + 4))
    starts.push(at);
  return starts;
}
