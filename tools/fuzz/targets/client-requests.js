/** The requests that a client has in flight, and replies to them that are right in most of their fields. */
import * as wire from '../../../libs/nbd-client/dist/testing/wire.js';
import { Setup } from './setup.js';

/** @import { Random } from '../random.js' */
/** @import { Asked } from './client-reference.js' */

export const SETUP_BYTES = 8;
const MODES = /** @type {const} */ (['simple', 'structured', 'extended']);
const CONTEXTS = [7, 8];

/** @param {Uint8Array} input */
export function caseOf(input) {
  const setup = new Setup(input);
  const mode = setup.pick(MODES);
  const chunkSeed = setup.uint16();
  const df = (setup.uint8() & 1) === 1;
  const reqOne = (setup.uint8() & 1) === 1;
  const blockSize = BigInt(setup.pick([1, 1, 512]));
  const contexts = setup.pick([CONTEXTS, CONTEXTS.slice(0, 1)]);
  const common = { df: false, reqOne: false, contexts: [], blockSize, exportSize: 1n << 40n };
  /** @type {Asked[]} */
  const requests = [
    { ...common, cookie: 1n, command: 'READ', offset: 4096n, length: 4096n },
    { ...common, cookie: 2n, command: 'READ', offset: 0n, length: 600n, df },
    { ...common, cookie: 3n, command: 'WRITE', offset: 512n, length: 512n },
    { ...common, cookie: 4n, command: 'FLUSH', offset: 0n, length: 0n },
  ];
  if (mode !== 'simple') {
    requests.push(
      {
        ...common,
        cookie: 5n,
        command: 'BLOCK_STATUS',
        offset: 0n,
        length: 1n << 20n,
        contexts: CONTEXTS.slice(0, 1),
      },
      { ...common, cookie: 6n, command: 'BLOCK_STATUS', offset: 4096n, length: 4096n, contexts, reqOne },
    );
  }
  return { mode, chunkSeed, requests };
}

/** @type {(random: Random, input: Uint8Array) => Uint8Array} */
export function replyMessage(random, input) {
  const { mode, requests } = caseOf(input);
  const asked = random.pick(requests);
  const cookie = random.oneIn(40) ? 9n : asked.cookie;
  const length = Number(asked.length > 9000n ? 9000n : asked.length);
  if (mode === 'simple' || random.oneIn(10)) {
    const error = random.oneIn(3) ? random.pick([5, 22, 108, 999]) : 0;
    return wire.simpleReply(
      cookie,
      error,
      asked.command === 'READ' && error === 0 ? wire.pattern(length) : Buffer.alloc(0),
    );
  }
  const offset = random.oneIn(30) ? asked.offset + 1n : asked.offset;
  return chunkMessage(random, asked, { extended: mode === 'extended', cookie, offset }, length);
}

/** @type {(random: Random, asked: Asked, framing: { extended: boolean, cookie: bigint, offset: bigint }, length: number) => Uint8Array} */
function chunkMessage(random, asked, framing, length) {
  const flags = random.oneIn(3) ? 1 : 0;
  const from = random.oneIn(2) ? 512 * random.below(9) : random.below(length + 20);
  const size = random.oneIn(3) ? length - from : random.oneIn(2) ? 512 : 1 + random.below(600);
  const at = asked.offset + BigInt(Math.min(from, length));
  const common = [
    () =>
      wire.errorChunk(
        framing,
        random.pick([5, 22, 108, 0, 999]),
        random.pick(['', 'text', '\ufeff', 'a\0']),
        flags,
      ),
    () => wire.errorOffset(framing, 5, at, 'x', flags),
    () =>
      wire.chunk(
        framing,
        random.pick([0, 3, 4, 7, 0x8001, 0x8002, 0x8003, 0xffff]),
        flags,
        random.bytes(random.below(30)),
      ),
    () => wire.chunk(framing, 0, 1),
    () => wire.chunk(framing, 0, 1),
  ];
  /** @type {Record<string, (() => Uint8Array)[]>} */
  const own = {
    READ: [
      () => wire.offsetData(framing, at, wire.pattern(Math.max(0, Math.min(size, 9000))), flags),
      () => wire.offsetData(framing, at, wire.pattern(Math.max(0, Math.min(size, 9000))), flags),
      () => wire.offsetHole(framing, at, Math.max(0, size), flags),
      () => wire.chunk(framing, 3, flags, wire.fields([64, at], [64, Math.max(0, size)])),
    ],
    BLOCK_STATUS: Array.from(
      { length: 5 },
      () => () => wire.blockStatus(framing, random.pick([7, 7, 8, 9]), extents(random), flags),
    ),
  };
  return random.pick([...common, ...(own[asked.command] ?? []), ...(own[asked.command] ?? [])])();
}

/** @type {(random: Random) => [number, number][]} */
function extents(random) {
  return Array.from({ length: random.below(5) }, () => [
    random.pick([512, 512, 1024, 4096, 1, 0, 1 << 20, 0xffff_ffff]),
    random.below(4),
  ]);
}

/** @param {Uint8Array} input */
export function replyBoundaries(input) {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  return ['67446698', '668e33ef', '6e8a278c']
    .map((hex) => Buffer.from(hex, 'hex'))
    .flatMap((magic) => {
      const starts = [];
      for (let at = bytes.indexOf(magic, SETUP_BYTES); at !== -1; at = bytes.indexOf(magic, at + 4))
        starts.push(at);
      return starts;
    })
    .sort((a, b) => a - b);
}
