import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { NbdError } from '../constants/errors.js';
import { assemble } from '../testing/assemble.js';
import { type Chunk, type ChunkedReply, chunkedRepliesOf } from '../testing/chunks.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, type MemoryDriverOptions, type Operation } from '../testing/memory-driver.js';
import { pattern, requestBytesIn, type RequestText } from '../testing/wire.js';

const KIB = 1024;
const HOLE = 3;
const DISC = { type: Command.DISC };

/** 64 KiB of data, with a hole from 16 to 32, one of unknown content from 40 to 44, and zeroes from 48 to 56. */
const states = new Uint8Array(64 * KIB)
  .fill(HOLE, 16 * KIB, 32 * KIB)
  .fill(1, 40 * KIB, 44 * KIB)
  .fill(2, 48 * KIB, 56 * KIB);
const IMAGE = pattern(64 * KIB).map((byte, at) => (((states[at] ?? 0) & 2) === 0 ? byte : 0));

function read(offset: number, length: number, flags = 0): RequestText {
  return { type: Command.READ, cookie: 0x8182_8384_8586_8788n, offset, length, flags };
}

function textOf(chunk: Chunk): string {
  const length = chunk.kind === 'data' ? chunk.data.length : chunk.kind === 'hole' ? chunk.length : 0;
  return chunk.kind === 'status' ? 'status' : `${chunk.kind} ${chunk.offset}+${length}`;
}

function contentOf({ chunks }: ChunkedReply | undefined = nothing): string[] {
  return chunks.map(textOf);
}
const nothing: ChunkedReply = {
  cookie: 0n,
  offset: 0n,
  chunks: [],
  error: -1,
  message: '',
  errorOffset: undefined,
};

describe.each(['structured', 'extended'] as const)('%s', (replyMode) => {
  function serve(requests: readonly RequestText[], options: Partial<MemoryDriverOptions> = {}) {
    const driver = new MemoryDriver({
      image: IMAGE,
      states: { 'base:allocation': states },
      replyMode,
      ...options,
    });
    driver.serve([Buffer.concat([...requests, DISC].map((request) => requestBytesIn(replyMode, request)))]);
    expect(driver.closeReason).toBe('disconnect');
    return { driver, replies: chunkedRepliesOf(driver.sent, replyMode) };
  }

  const faultIn = (from: number, to: number) => (operation: Operation) => {
    const { step, fileOffset = 0, length = 0 } = operation;
    return ['read', 'transfer'].includes(step) && fileOffset < to && from < fileOffset + length ? 5 : 0;
  };

  function stepsOf(driver: MemoryDriver, step: string): Operation[] {
    return driver.operations.filter((operation) => operation.step === step);
  }

  test('T9 what the driver says reads as zeroes is a hole, everything else data', () => {
    const { replies } = serve([read(0, 64 * KIB)]);
    expect(contentOf(replies[0])).toEqual([
      `data 0+${16 * KIB}`,
      `hole ${16 * KIB}+${16 * KIB}`,
      `data ${32 * KIB}+${16 * KIB}`,
      `hole ${48 * KIB}+${8 * KIB}`,
      `data ${56 * KIB}+${8 * KIB}`,
    ]);
    expectBytes(assemble(replies[0] ?? nothing, 0, 64 * KIB).data, IMAGE);
  });

  test.each([
    [0, 1],
    [17 * KIB, 4 * KIB],
    [15 * KIB + 100, 2 * KIB],
    [31 * KIB + 1, 30 * KIB],
  ])('T9 a READ at %i of %i bytes is covered by what lies within it', (offset, length) => {
    const { replies } = serve([read(offset, length)]);
    const { data, covered } = assemble(replies[0] ?? nothing, offset, length);
    expect(covered).toBe(length);
    expectBytes(data, IMAGE.subarray(offset, offset + length));
  });

  test('T9 with DF it is one content chunk, zeroes included, however large', () => {
    for (const outputBytes of [256, 100 * KIB]) {
      const { driver, replies } = serve([read(0, 64 * KIB, CommandFlag.DF)], { outputBytes });
      expect(contentOf(replies[0])).toEqual([`data 0+${64 * KIB}`]);
      expectBytes(assemble(replies[0] ?? nothing, 0, 64 * KIB).data, IMAGE);
      expect(stepsOf(driver, 'extents')).toEqual([]);
    }
  });

  test('T9 what fits the buffer is one chunk that says DONE, without a chunk behind it', () => {
    const { driver } = serve([read(0, 4 * KIB)]);
    const header = replyMode === 'extended' ? 32 : 20;
    expect(driver.sent.length).toBe(header + 8 + 4 * KIB);
  });

  test('T9 a chunk that could still fail does not say DONE; NONE does, behind it', () => {
    const header = replyMode === 'extended' ? 32 : 20;
    for (const options of [{ outputBytes: 2 * KIB }, { transferMinimum: 4 * KIB }]) {
      const { driver, replies } = serve([read(0, 4 * KIB)], options);
      expect(contentOf(replies[0])).toEqual([`data 0+${4 * KIB}`]);
      expect(driver.sent.length).toBe(header + 8 + 4 * KIB + header);
    }
  });

  test('large runs of data are transferred, holes and small ones are not', () => {
    const { driver, replies } = serve([read(12 * KIB, 28 * KIB)], { transferMinimum: 8 * KIB });
    expect(contentOf(replies[0])).toEqual([
      `data ${12 * KIB}+${4 * KIB}`,
      `hole ${16 * KIB}+${16 * KIB}`,
      `data ${32 * KIB}+${8 * KIB}`,
    ]);
    const transfer = driver.operations.findIndex(({ step }) => step === 'transfer');
    expect(driver.operations[transfer]).toEqual({
      step: 'transfer',
      fileOffset: 32 * KIB,
      length: 8 * KIB,
    });
    expect(driver.operations[transfer - 1]).toMatchObject({ step: 'send', flags: 'more' });
  });

  test('T9 chunks that are more than the buffer holds are sent as it fills, the error behind them too', () => {
    const fine = new Uint8Array(64 * KIB).map((_, at) => (at % 64 < 32 ? 0 : HOLE));
    const image = pattern(64 * KIB).map((byte, at) => (fine[at] === 0 ? byte : 0));
    for (let outputBytes = 256; outputBytes < 400; outputBytes += 1) {
      const options = { image, outputBytes, states: { 'base:allocation': fine } };
      const { replies } = serve([read(0, 4 * KIB)], options);
      expectBytes(assemble(replies[0] ?? nothing, 0, 4 * KIB).data, image.subarray(0, 4 * KIB));
      const failing = serve([read(0, 4 * KIB)], { ...options, fault: faultIn(2 * KIB, 2 * KIB + 1) });
      expect(failing.replies[0]).toMatchObject({ error: NbdError.EIO, errorOffset: 2 * KIB });
    }
  });

  describe('errors', () => {
    test('T8 that are found before anything is read are chunks with a text', () => {
      const { driver, replies } = serve([
        read(0, 0),
        read(64 * KIB, 1),
        read(0, 10, 1 << 15),
        { type: 99 },
        read(0, 10),
      ]);
      expect(replies.map(({ error, chunks }) => [error, chunks.length])).toEqual([
        [NbdError.EINVAL, 0],
        [NbdError.EINVAL, 0],
        [NbdError.EINVAL, 0],
        [NbdError.EINVAL, 0],
        [0, 1],
      ]);
      expect(replies.map(({ message }) => message)).toEqual([
        'the length is zero',
        'the range does not lie within the export',
        'a flag is unknown, was not offered, or is not of this command',
        'the command is unknown',
        '',
      ]);
      expect(driver.machine.counters).toMatchObject({ requests: 5, errors: 4 });
    });

    test('T9 a run that fails before its chunk is begun is told by its offset, with no chunk', () => {
      const fault = faultIn(33 * KIB, 33 * KIB + 1);
      const { driver, replies } = serve([read(8 * KIB, 32 * KIB), read(0, 10)], { fault });
      expect(replies[0]).toMatchObject({ error: NbdError.EIO, errorOffset: 32 * KIB });
      expect(contentOf(replies[0])).toEqual([`data ${8 * KIB}+${8 * KIB}`, `hole ${16 * KIB}+${16 * KIB}`]);
      expect(replies[1]?.error).toBe(0);
      expect(driver.machine.counters).toMatchObject({ requests: 2, errors: 1 });
    });

    test.each([
      ['in pieces', { outputBytes: 2 * KIB }],
      ['by transfer', { transferMinimum: 4 * KIB }],
    ])('T9 a chunk %s that fails in the middle is padded, and the error told', (_name, options) => {
      const fault = faultIn(9 * KIB, 10 * KIB);
      const { replies, driver } = serve([read(0, 12 * KIB), read(0, 10)], { fault, ...options });
      expect(replies[0]).toMatchObject({ error: NbdError.EIO, message: 'the device failed' });
      const errorOffset = replies[0]?.errorOffset ?? -1;
      expect(errorOffset).toBeGreaterThan(0);
      expect(errorOffset).toBeLessThanOrEqual(9 * KIB);
      const { data, covered } = assemble(replies[0] ?? nothing, 0, 12 * KIB);
      expect(covered).toBe(12 * KIB);
      expectBytes(data.subarray(0, errorOffset), IMAGE.subarray(0, errorOffset));
      expectBytes(data.subarray(errorOffset), Buffer.alloc(12 * KIB - errorOffset));
      expect(replies[1]?.error).toBe(0);
      expect(driver.machine.counters).toMatchObject({ requests: 2, errors: 1 });
    });

    test('T9 a chunk in pieces whose first piece fails is not begun', () => {
      const { replies } = serve([read(0, 12 * KIB)], { fault: faultIn(0, 1), outputBytes: 2 * KIB });
      expect(replies[0]).toMatchObject({ error: NbdError.EIO, errorOffset: 0, chunks: [] });
    });

    test('T9 a driver that cannot tell holes leaves everything data', () => {
      const fault = ({ step }: Operation) => (step === 'extents' ? 5 : 0);
      const { replies } = serve([read(0, 64 * KIB), read(20 * KIB, 10)], { fault });
      expect(contentOf(replies[0])).toEqual([`data 0+${64 * KIB}`]);
      expect(contentOf(replies[1])).toEqual([`data ${20 * KIB}+10`]);
    });

    test('T16 once shutting down a READ is ESHUTDOWN, in a chunk with a text', () => {
      const driver = new MemoryDriver({ image: IMAGE, replyMode });
      driver.machine.beginShutdown();
      driver.serve([requestBytesIn(replyMode, read(0, 10))]);
      expect(chunkedRepliesOf(driver.sent, replyMode)).toMatchObject([
        { error: NbdError.ESHUTDOWN, message: 'the server is shutting down', chunks: [] },
      ]);
    });
  });

  describe('holes', () => {
    const full = { states: { 'base:allocation': new Uint8Array(64 * KIB) } };

    test('of a file without any are asked for once, in whatever order it is read', () => {
      const reads = Array.from({ length: 40 }, (_, index) => read(((index * 37) % 63) * KIB, KIB));
      const { driver } = serve(reads, full);
      expect(stepsOf(driver, 'extents')).toEqual([
        { step: 'extents', fileOffset: 0, length: 1, context: 'base:allocation' },
      ]);
    });

    test('are asked for once per READ, within the run of data that was found last never', () => {
      const { driver } = serve([
        read(60 * KIB, KIB),
        read(61 * KIB, KIB),
        read(56 * KIB, KIB),
        read(20 * KIB, KIB),
        read(20 * KIB, KIB),
        read(57 * KIB, KIB),
      ]);
      expect(stepsOf(driver, 'extents').map(({ fileOffset }) => fileOffset)).toEqual([
        0,
        60 * KIB,
        56 * KIB,
        20 * KIB,
        20 * KIB,
      ]);
    });

    test('T9 that a WRITE has filled are data, at once', () => {
      const payload = pattern(100, 9);
      const { replies } = serve([
        read(16 * KIB, 16 * KIB),
        { type: Command.WRITE, offset: 20 * KIB, payload },
        read(20 * KIB - 50, 200),
      ]);
      const expected = Buffer.concat([Buffer.alloc(50), payload, Buffer.alloc(50)]);
      expectBytes(assemble(replies[2] ?? nothing, 20 * KIB - 50, 200).data, expected);
    });

    test.each([Command.TRIM, Command.WRITE_ZEROES])('that command %i makes are found', (type) => {
      const { replies } = serve([read(0, 10), { type, offset: 0, length: 8 * KIB }, read(0, 8 * KIB)], full);
      expect(contentOf(replies[2])).toEqual([`hole 0+${8 * KIB}`]);
    });

    test('that another connection makes meanwhile may be told as data, which is zero', () => {
      const driver = new MemoryDriver({ image: IMAGE, replyMode, ...full });
      driver.serveUntilIdle([requestBytesIn(replyMode, read(0, 10))]);
      driver.image.fill(0, 0, 8 * KIB);
      driver.setState('base:allocation', 0, 8 * KIB, HOLE);
      driver.serve([requestBytesIn(replyMode, read(0, 8 * KIB))]);
      const [, second] = chunkedRepliesOf(driver.sent, replyMode);
      expectBytes(assemble(second ?? nothing, 0, 8 * KIB).data, Buffer.alloc(8 * KIB));
    });

    test('T9 that another connection fills meanwhile are data', () => {
      const driver = new MemoryDriver({ image: IMAGE, replyMode, states: { 'base:allocation': states } });
      driver.serveUntilIdle([requestBytesIn(replyMode, read(16 * KIB, 16 * KIB))]);
      driver.image.fill(7, 20 * KIB, 21 * KIB);
      driver.setState('base:allocation', 20 * KIB, 21 * KIB, 0);
      driver.serve([requestBytesIn(replyMode, read(20 * KIB, KIB))]);
      const [, second] = chunkedRepliesOf(driver.sent, replyMode);
      expectBytes(assemble(second ?? nothing, 20 * KIB, KIB).data, Buffer.alloc(KIB, 7));
    });
  });
});
