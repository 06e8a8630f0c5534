import { Buffer } from 'node:buffer';
import { HoldfastError } from '@holdfast/foundation';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { capturePrinted } from '../../testing/printed.js';
import type { CopyDestination, CopySource } from './ends/copy-end.js';
import { nullDestination } from './ends/null-destination.js';
import { CHECKPOINT_MS, REQUEST_BYTES } from './limits.js';
import type { Ends } from './open-ends.js';
import { gridFor } from './plan.js';
import { runCopy, type RunOptions } from './run-copy.js';

const PIECES = 8;
const SIZE = PIECES * REQUEST_BYTES - 1;
const content = Buffer.from(Uint8Array.from({ length: SIZE }, (_, index) => index % 251));

function memorySource(changes: Partial<CopySource> = {}): CopySource {
  return {
    name: 'source',
    sizeBytes: BigInt(SIZE),
    blockBytes: 1,
    transferBytesMax: SIZE,
    connections: 1,
    // eslint-disable-next-line @typescript-eslint/require-await -- the real ones ask a server
    extents: async function* (offset, length) {
      yield { offset, length, isZero: false };
    },
    read: (target, offset) => {
      content.copy(target, 0, Number(offset));
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
    abandon: () => undefined,
    ...changes,
  };
}

class MemoryDestination {
  readonly written = Buffer.alloc(SIZE);
  /** What a crash would leave. */
  stable = Buffer.alloc(SIZE);

  end(changes: Partial<CopyDestination> = {}): CopyDestination {
    return {
      ...nullDestination('destination'),
      readsAsZeroes: false,
      write: (data, offset) => {
        data.copy(this.written, Number(offset));
        return Promise.resolve();
      },
      flush: () => {
        this.stable = Buffer.from(this.written);
        return Promise.resolve();
      },
      ...changes,
    };
  }
}

function ends(source: CopySource, destination: CopyDestination): Ends {
  return { source, destination, grid: gridFor(source, destination) };
}

function options(changes: Partial<RunOptions> = {}): RunOptions {
  const { signal } = new AbortController();
  return { requests: 3, resumeFrom: 0n, sparse: false, json: false, interrupt: signal, ...changes };
}

const diskFull = new HoldfastError('NBD_REQUEST_FAILED', 'no space', { error: 'ENOSPC' });

/** Of an error: from where it says that the copy may be resumed. */
async function resumeFromOf(work: Promise<unknown>): Promise<number> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HoldfastError);
  return Number((error as HoldfastError).metadata['resumeFrom']);
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a copy', () => {
  it('is on stable storage when success is claimed', async () => {
    const memory = new MemoryDestination();
    const tally = await runCopy(ends(memorySource(), memory.end()), options());
    expect(memory.stable.equals(content)).toBe(true);
    expect(tally.progress).toEqual({
      copied: BigInt(SIZE),
      total: BigInt(SIZE),
      resumeFrom: BigInt(SIZE),
    });
  });

  it('fails if the last flush fails, and claims nothing that was not flushed', async () => {
    const memory = new MemoryDestination();
    const destination = memory.end({ flush: () => Promise.reject(diskFull) });
    const copying = runCopy(ends(memorySource(), destination), options());
    await expect(copying).rejects.toMatchObject({
      code: 'NBD_REQUEST_FAILED',
      message: 'destination: no space; nothing of it is safe yet, so begin again',
      metadata: { error: 'ENOSPC', resumeFrom: '0' },
    });
  });

  it.each([0, 1, 5, PIECES - 1])(
    'that fails at piece %i goes on from what it said, and is equal then',
    async (at) => {
      const memory = new MemoryDestination();
      const offset = BigInt(at * REQUEST_BYTES);
      const whole = memory.end();
      const broken = memory.end({
        write: (data, where, connection) =>
          where === offset ? Promise.reject(diskFull) : whole.write(data, where, connection),
      });
      const resumeFrom = await resumeFromOf(runCopy(ends(memorySource(), broken), options()));
      expect(resumeFrom).toBe(at * REQUEST_BYTES);
      expect(memory.stable.subarray(0, resumeFrom).equals(content.subarray(0, resumeFrom))).toBe(true);
      // A crash loses what was written without a flush.
      memory.written.set(memory.stable);
      await runCopy(ends(memorySource(), whole), options({ resumeFrom: BigInt(resumeFrom) }));
      expect(memory.stable.equals(content)).toBe(true);
    },
  );

  it('names the end that failed, and says how to go on', async () => {
    const source = memorySource({
      read: (target, offset, connection) =>
        offset < BigInt(2 * REQUEST_BYTES)
          ? memorySource().read(target, offset, connection)
          : Promise.reject(new HoldfastError('NBD_CONNECTION_LOST', 'the connection was lost')),
    });
    const copying = runCopy(ends(source, new MemoryDestination().end()), options());
    await expect(copying).rejects.toMatchObject({
      code: 'NBD_CONNECTION_LOST',
      message: `source: the connection was lost; the first ${String(2 * REQUEST_BYTES)} of ${String(SIZE)} bytes are safe at the destination: go on by --resume-from ${String(2 * REQUEST_BYTES)}`,
    });
  });

  it('fails when the source cannot tell its extents', async () => {
    const source = memorySource({
      // eslint-disable-next-line require-yield, @typescript-eslint/require-await -- fails at once
      extents: async function* () {
        throw new HoldfastError('NBD_REQUEST_FAILED', 'no extents');
      },
    });
    const copying = runCopy(ends(source, new MemoryDestination().end()), options());
    await expect(copying).rejects.toThrow('source: no extents');
  });

  it('that is interrupted begins nothing more, finishes what is under way, and says where to go on', async () => {
    const memory = new MemoryDestination();
    const interrupt = new AbortController();
    let begun = 0;
    const destination = memory.end({
      write: async (data, offset, connection) => {
        begun += 1;
        if (begun === 2) interrupt.abort();
        await new Promise((resolve) => setTimeout(resolve, 5));
        await memory.end().write(data, offset, connection);
      },
    });
    const copying = runCopy(ends(memorySource(), destination), options({ interrupt: interrupt.signal }));
    await expect(copying).rejects.toMatchObject({ code: 'COPY_INTERRUPTED' });
    const resumeFrom = await resumeFromOf(copying);
    expect(begun).toBeLessThan(PIECES);
    expect(resumeFrom).toBeGreaterThanOrEqual(2 * REQUEST_BYTES);
    expect(memory.stable.subarray(0, resumeFrom).equals(content.subarray(0, resumeFrom))).toBe(true);
  });

  it('does not wait for ever for a request that hangs, and does not count it', async () => {
    vi.useFakeTimers();
    const interrupt = new AbortController();
    const destination = new MemoryDestination().end({
      write: (_data, offset) => (offset === 0n ? new Promise(() => undefined) : Promise.resolve()),
    });
    const copying = runCopy(ends(memorySource(), destination), options({ interrupt: interrupt.signal }));
    const resumeFrom = resumeFromOf(copying);
    interrupt.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await resumeFrom).toBe(0);
  });

  it('flushes on the way, and tells a program where it could be resumed', async () => {
    vi.useFakeTimers();
    const printed = capturePrinted();
    const destination = new MemoryDestination().end({
      write: () => new Promise((resolve) => setTimeout(resolve, CHECKPOINT_MS)),
    });
    const copying = runCopy(ends(memorySource(), destination), options({ json: true, requests: 1 }));
    await vi.advanceTimersByTimeAsync(PIECES * CHECKPOINT_MS + 60_000);
    await copying;
    const lines = printed.stdout.trim().split('\n');
    const told = lines.map(
      (line) => JSON.parse(line) as { event: string; copied: number; resumeFrom: number },
    );
    expect(told.every(({ event }) => event === 'progress')).toBe(true);
    expect(told.every(({ copied, resumeFrom }) => resumeFrom <= copied)).toBe(true);
    expect(told.some(({ resumeFrom }) => resumeFrom > 0 && resumeFrom < SIZE)).toBe(true);
  });

  it('with --sparse makes zeroes of data that is zero, on the grid', async () => {
    const zeroed: string[] = [];
    const source = memorySource({
      read: (target, offset) => {
        target.fill(offset === 0n ? 0 : 1);
        return Promise.resolve();
      },
    });
    const destination = new MemoryDestination().end({
      writeZeroes: (offset, length) => {
        zeroed.push(`${offset} ${length}`);
        return Promise.resolve();
      },
    });
    const tally = await runCopy(ends(source, destination), options({ sparse: true }));
    expect(zeroed).toEqual([`0 ${String(REQUEST_BYTES)}`]);
    expect([tally.data, tally.zeroes]).toEqual([BigInt(SIZE - REQUEST_BYTES), BigInt(REQUEST_BYTES)]);
  });

  it('leaves zeroes out where the destination reads as zeroes already', async () => {
    const source = memorySource({
      // eslint-disable-next-line @typescript-eslint/require-await -- the real ones ask a server
      extents: async function* (offset, length) {
        yield { offset, length, isZero: true };
      },
    });
    const destination = new MemoryDestination().end({
      readsAsZeroes: true,
      writeZeroes: () => Promise.reject(new Error('must not be asked')),
    });
    const tally = await runCopy(ends(source, destination), options());
    expect(tally.zeroes).toBe(BigInt(SIZE));
  });
});
