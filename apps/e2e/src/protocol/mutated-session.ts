import type { SeededRandom } from '../support/seeded-random.js';
import { CmdFlag, Opt } from './spec-numbers.js';
import { clientFlags, contextData, go, infoData, option, optionHeader, request } from './wire.js';

const LENGTHS = [0, 1, 27, 28, 511, 512, 4096, 65_537, 33_554_432, 33_554_433, 0x7fff_ffff, 0xffff_ffff];
const OFFSETS = [0n, 1n, 4096n, 1_048_576n, 4_194_303n, 4_194_304n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n];

function anyOption(random: SeededRandom): Buffer {
  const code = random.pick([...Object.values(Opt), 0, 99, 0xffff_ffff]);
  if (random.chance(10))
    return Buffer.concat([optionHeader(code, random.pick(LENGTHS)), random.bytes(random.int(300))]);
  if (random.chance(20)) {
    const query = random.pick(['base:', 'base:allocation', 'x-other:', 'no colon', 'ü:\0']);
    return option(code, contextData('disk.img', ...Array<string>(random.int(4)).fill(query)));
  }
  if (random.chance(50)) {
    const name = random.pick(['disk.img', '', 'disk', 'x'.repeat(4096), '\0', 'ü']);
    return option(code, infoData(name, ...random.bytes(random.int(6))));
  }
  return option(code, random.bytes(random.int(200)));
}

function anyRequest(random: SeededRandom): Buffer {
  const type = random.pick([0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 255, 65_535]);
  const flags = random.chance(70) ? 0 : random.pick([...Object.values(CmdFlag), 0xffff, random.int(65_536)]);
  const cookie = random.bytes(8).readBigUInt64BE();
  const offset = random.chance(60) ? BigInt(random.int(4_194_304)) : random.pick(OFFSETS);
  if (type !== 1) {
    const length = random.chance(70) ? random.int(100_000) : random.pick(LENGTHS);
    return request({ type, flags, cookie, offset, length });
  }
  const payload = random.bytes(random.pick([0, 1, 512, 3000]));
  const length = random.chance(90) ? payload.length : random.pick(LENGTHS);
  return request({ type, flags, cookie, offset, length, payload });
}

/** A few of its bytes changed, dropped, doubled or swapped for others. */
function mutated(stream: Buffer, random: SeededRandom): Buffer {
  let bytes = Buffer.from(stream);
  for (let count = random.int(4); count > 0 && bytes.length > 0; count--) {
    const at = random.int(bytes.length);
    const end = Math.min(bytes.length, at + 1 + random.int(20));
    switch (random.int(4)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
        break;
      default:
        random.bytes(end - at).copy(bytes, at);
    }
  }
  return bytes;
}

function many(random: SeededRandom, limit: number, one: (random: SeededRandom) => Buffer): Buffer[] {
  return Array.from({ length: random.int(limit) }, () => one(random));
}

/** What a broken or hostile client might send from its first byte to its last. */
export function mutatedSession(random: SeededRandom): Buffer {
  if (random.chance(10)) return random.bytes(random.int(2000));
  const options = [clientFlags(random.pick([3, 3, 3, 3, 1, 0, 7])), ...many(random, 6, anyOption)];
  const way = random.pick([go('disk.img'), option(Opt.EXPORT_NAME, 'disk.img'), Buffer.alloc(0)]);
  const parts = [...(random.chance(50) ? options : [clientFlags()]), way, ...many(random, 30, anyRequest)];
  const stream = Buffer.concat(parts);
  return random.chance(60) ? mutated(stream, random) : stream;
}
