import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ContextDefinition } from '../metadata/context-definition.js';
import { chunkedRepliesOf, type StatusChunk } from '../testing/chunks.js';
import { BlockAligner } from './block-aligner.js';
import { ExtendedReplyQueue } from './extended-reply-queue.js';
import { RequestHeader } from './messages/request.js';
import { StatusWriter } from './status-writer.js';

const request = new RequestHeader();
const wide: ContextDefinition = {
  name: 'x-test:wide',
  flagBits: 64,
  combine: (some, others) => some | others,
  describe: String,
};

interface Run {
  readonly length: number;
  readonly flags: bigint;
}

function written(runs: readonly Run[], wanted: number, blockSize: number): StatusChunk['extents'] {
  const output = new Uint8Array(4096);
  const replies = new ExtendedReplyQueue(output);
  const writer = new StatusWriter(replies);
  const aligner = new BlockAligner(blockSize);
  writer.begin(wanted, false);
  aligner.begin();
  for (const { length, flags } of runs) {
    const high = Number(flags >> 32n);
    aligner.add(length, high, Number(flags & 0xffff_ffffn), wide, (...extent) => {
      writer.add(...extent);
    });
  }
  expect(writer.isComplete).toBe(true);
  writer.finish(request, 3, true);
  const [reply] = chunkedRepliesOf(output.subarray(0, replies.used), 'extended');
  const [chunk] = reply?.chunks ?? [];
  if (chunk?.kind !== 'status') throw new Error('a status chunk was written');
  expect(chunk.contextId).toBe(3);
  return chunk.extents;
}

const runs = fc.array(
  fc.record({
    length: fc.integer({ min: 1, max: 40 }),
    flags: fc.constantFrom(0n, 1n, 1n << 40n, 2n ** 64n - 1n),
  }),
  { minLength: 1, maxLength: 60 },
);

test('T11 B2 whatever runs come, extents are whole blocks, merged, and have all 64 bits of their flags', () => {
  fc.assert(
    fc.property(runs, fc.constantFrom(1, 2, 8, 16), (list, blockSize) => {
      const bytes = list.flatMap(({ length, flags }) => Array.from({ length }, () => flags));
      const blocks = Math.floor(bytes.length / blockSize);
      fc.pre(blocks > 0);
      const expected: Run[] = [];
      for (let block = 0; block < blocks; block += 1) {
        const flags = bytes
          .slice(block * blockSize, (block + 1) * blockSize)
          .reduce((some, others) => some | others);
        const last = expected.at(-1);
        if (last?.flags === flags)
          expected[expected.length - 1] = { ...last, length: last.length + blockSize };
        else expected.push({ length: blockSize, flags });
      }
      expect(written(list, blocks * blockSize, blockSize)).toEqual(expected);
    }),
  );
});
