import { expect, test } from 'vitest';
import type { ExtentList } from '../extents/extent-list.js';
import { ReplyScene, type Outcome } from '../testing/reply-scene.js';
import {
  blockStatus,
  chunk,
  DONE,
  errorChunk,
  errorOffset,
  none,
  offsetData,
  offsetHole,
  pattern,
  simpleReply,
} from '../testing/wire.js';

const MODES = ['simple', 'structured', 'extended'] as const;
type Mode = (typeof MODES)[number];

/** Requests of every kind, and a good answer to each. */
function conversation(mode: Mode) {
  const scene = new ReplyScene(mode);
  scene.read(1, 512n, 64);
  scene.status(2, 'WRITE', 0n, 512n);
  scene.status(3, 'TRIM', 1024n, 512n);
  scene.read(4, 0n, 16);
  if (mode === 'simple') {
    return {
      scene,
      stream: Buffer.concat([
        simpleReply(2n),
        simpleReply(1n, 0, pattern(64)),
        simpleReply(3n, 28),
        simpleReply(4n, 0, pattern(16, 9)),
      ]),
    };
  }
  scene.blockStatus(5, 0n, 4096n);
  const [read, write, trim, second, status] = [512n, 0n, 1024n, 0n, 0n].map((offset, index) =>
    scene.framing(index + 1, offset),
  );
  if (!read || !write || !trim || !second || !status) throw new Error('five requests have five framings');
  return {
    scene,
    stream: Buffer.concat([
      offsetData(read, 544n, pattern(32, 5)),
      none(write),
      offsetHole(read, 512n, 20),
      blockStatus(status, 7, [
        [1000, 3],
        [3096, 0],
      ]),
      errorOffset(trim, 28, 1100n, 'no space', 0),
      offsetData(read, 532n, pattern(12, 7), DONE),
      errorChunk(trim, 5, 'and no disk', DONE),
      none(status),
      chunk(second, 2, DONE, offsetHole(second, 0n, 16).subarray(-12)),
    ]),
  };
}

/** Outcomes as values that compare well. */
function plain(outcomes: ReadonlyMap<number, Outcome>): unknown {
  return [...outcomes].map(([cookie, outcome]) => {
    if (outcome === 'waiting') return [cookie, outcome];
    if ('error' in outcome) return [cookie, String(outcome.error)];
    const { result } = outcome;
    if (!Array.isArray(result)) return [cookie, result];
    return [
      cookie,
      result.map((one: { context: string; extents: ExtentList }) => [one.context, ...one.extents]),
    ];
  });
}

test.each(MODES)('a stream of %s replies means the same wherever it is split', (mode) => {
  const whole = conversation(mode);
  whole.scene.machine.push(whole.stream);
  const expected = plain(whole.scene.outcomes);
  expect(
    JSON.stringify(expected, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toContain('waiting');
  for (let at = 0; at <= whole.stream.length; at += 1) {
    const { scene, stream } = conversation(mode);
    scene.machine.push(stream.subarray(0, at));
    scene.machine.push(stream.subarray(at));
    expect(plain(scene.outcomes)).toEqual(expected);
    expect(scene.machine.bufferedBytes).toBe(0);
  }
});

test.each(MODES)('a stream of %s replies means the same byte by byte', (mode) => {
  const whole = conversation(mode);
  whole.scene.machine.push(whole.stream);
  const { scene, stream } = conversation(mode);
  for (const byte of stream) scene.machine.push(Uint8Array.of(byte));
  expect(plain(scene.outcomes)).toEqual(plain(whole.scene.outcomes));
});

test.each(MODES)('A1 what %s replies become keeps nothing of the memory that they came in', (mode) => {
  const whole = conversation(mode);
  whole.scene.machine.push(whole.stream);
  for (const size of [1, 7, 40, 4096]) {
    const { scene, stream } = conversation(mode);
    const memory = Buffer.alloc(size);
    for (let at = 0; at < stream.length; at += size) {
      const length = stream.copy(memory, 0, at, at + size);
      scene.machine.push(memory.subarray(0, length));
      memory.fill(0xdb);
    }
    expect(plain(scene.outcomes)).toEqual(plain(whole.scene.outcomes));
  }
});
