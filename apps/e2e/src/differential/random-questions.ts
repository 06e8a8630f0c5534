import type { SeededRandom } from '../support/seeded-random.js';
import { Cmd, CmdFlag } from '../protocol/spec-numbers.js';
import { MAXIMUM_PAYLOAD, type Question, type ReplyMode } from './question.js';

const { READ, WRITE, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS, RESIZE } = Cmd;
const COMMANDS = [
  ...[READ, READ, READ, READ, WRITE, WRITE, WRITE, WRITE, FLUSH, TRIM, TRIM, CACHE],
  ...[WRITE_ZEROES, WRITE_ZEROES, BLOCK_STATUS, BLOCK_STATUS, BLOCK_STATUS],
];
const UNKNOWN_COMMANDS = [RESIZE, 9, 99, 0xffff];
const FLAGS = Object.values(CmdFlag).filter((flag) => flag !== CmdFlag.PAYLOAD_LEN);

/** Where most requests go, so that they meet what others left. */
const HOT_BYTES = 512 * 1024;

/** The next question of a sequence: most are valid, some are not in one way, few in several. */
export function randomQuestion(random: SeededRandom, mode: ReplyMode, sizeBytes: number): Question {
  const type = random.chance(3) ? random.pick(UNKNOWN_COMMANDS) : random.pick(COMMANDS);
  const flags = randomFlags(random);
  if (type === FLUSH && random.chance(90)) return { type, flags, offset: 0n, length: 0n };
  const offset = randomOffset(random, sizeBytes);
  if (random.int(2000) === 0) return payloadTooLong(offset);
  const length = randomLength(random, offset, sizeBytes, mode);
  if (mode === 'extended' && type === BLOCK_STATUS && random.chance(40)) {
    return { type, flags, offset, length, filter: randomFilter(random, length) };
  }
  // T1: with extended headers anything may have a payload.
  const isOdd = mode === 'extended' && type !== BLOCK_STATUS && random.chance(4);
  if (type !== WRITE && !isOdd) return { type, flags, offset, length };
  const payload = random.chance(30) ? Buffer.alloc(sent(length)) : random.bytes(16);
  const filled = Buffer.alloc(sent(length));
  for (let at = 0; at < filled.length; at += payload.length) payload.copy(filled, at);
  return { type, flags, offset, length: BigInt(filled.length), payload: filled };
}

/** A WRITE that a server is not going to read. */
function payloadTooLong(offset: bigint): Question {
  return { type: WRITE, flags: 0, offset, length: BigInt(MAXIMUM_PAYLOAD + 1), payload: Buffer.alloc(0) };
}

/** Payloads are short: what is long about a WRITE is its range, and that is tried by other commands. */
function sent(length: bigint): number {
  return Number(length % 70_000n);
}

function randomFlags(random: SeededRandom): number {
  if (random.chance(70)) return 0;
  if (random.chance(10)) return 1 << (6 + random.int(10));
  return random.pick(FLAGS) | (random.chance(30) ? random.pick(FLAGS) : 0);
}

function randomOffset(random: SeededRandom, sizeBytes: number): bigint {
  const size = BigInt(sizeBytes);
  if (random.chance(2))
    return random.pick([size, size + 1n, size + 4096n, 1n << 40n, 1n << 63n, (1n << 64n) - 1n]);
  if (random.chance(8)) return size - BigInt(random.int(70_000));
  if (random.chance(5)) return BigInt(random.int(sizeBytes));
  return BigInt(random.chance(50) ? 512 * random.int(HOT_BYTES / 512) : random.int(HOT_BYTES));
}

function randomLength(random: SeededRandom, offset: bigint, sizeBytes: number, mode: ReplyMode): bigint {
  const rest = BigInt(sizeBytes) - offset;
  if (random.chance(2)) return 0n;
  if (random.chance(1))
    return random.pick([BigInt(MAXIMUM_PAYLOAD), BigInt(MAXIMUM_PAYLOAD + 1), 0xffff_ffffn]);
  if (mode === 'extended' && random.chance(1)) return random.pick([1n << 32n, 1n << 63n, (1n << 64n) - 1n]);
  if (random.chance(2) && rest > 0n && rest < 1n << 32n) return random.pick([rest, rest + 1n]);
  return BigInt(random.chance(50) ? 512 * random.int(64) : random.int(40_000));
}

function randomFilter(random: SeededRandom, length: bigint): NonNullable<Question['filter']> {
  const choices = [
    ['selected'],
    ['selected'],
    ['selected'],
    [],
    ['other'],
    ['selected', 'selected'],
  ] as const;
  return { length, ids: random.pick(choices) };
}
