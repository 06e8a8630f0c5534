import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, type MemoryDriverOptions } from '../testing/memory-driver.js';
import { inChunks, pattern, requestBytes, type RequestText, simpleReplyBytes } from '../testing/wire.js';
import { Step } from './step.js';

const KIB = 1024;
const IMAGE = pattern(256 * KIB);
const DISC: RequestText = { type: Command.DISC };

function stream(...requests: readonly RequestText[]): Buffer {
  return Buffer.concat(requests.map(requestBytes));
}

function driverOf(options: Partial<MemoryDriverOptions> = {}): MemoryDriver {
  return new MemoryDriver({ image: IMAGE, ...options });
}

function reads(count: number, length: number): RequestText[] {
  return Array.from({ length: count }, (_, index) => ({
    type: Command.READ,
    cookie: BigInt(index),
    offset: index * length,
    length,
  }));
}

function stepsOf(driver: MemoryDriver, step: string) {
  return driver.operations.filter((operation) => operation.step === step);
}

describe('replies', () => {
  test('a batch of requests is answered by one send', () => {
    const driver = driverOf({ outputBytes: 128 * KIB, sendThreshold: 128 * KIB });
    driver.serveUntilIdle([stream(...reads(16, 4 * KIB))]);
    expect(stepsOf(driver, 'send')).toEqual([{ step: 'send', length: 16 * (16 + 4 * KIB), flags: '' }]);
  });

  test('replies are sent at the threshold though more requests wait', () => {
    const driver = driverOf({ outputBytes: 128 * KIB, sendThreshold: 8 * KIB });
    driver.serveUntilIdle([stream(...reads(5, 4 * KIB))]);
    const reply = 16 + 4 * KIB;
    expect(stepsOf(driver, 'send').map(({ length }) => length)).toEqual([2 * reply, 2 * reply, reply]);
  });

  test('half of a batch is sent early to a client that was waited for, so that both work at once', () => {
    const driver = driverOf({ outputBytes: 128 * KIB, sendThreshold: 128 * KIB, isAwaited: true });
    const batch = stream(...reads(16, 4 * KIB));
    const reply = 16 + 4 * KIB;
    // Of the first batch it is not known how long it is: the least that is worth a send comes early.
    driver.serveUntilIdle([batch]);
    expect(stepsOf(driver, 'send').map(({ length }) => length)).toEqual([4 * reply, 12 * reply]);
    driver.serveUntilIdle([batch]);
    expect(stepsOf(driver, 'send').map(({ length }) => length)).toEqual([
      ...[4 * reply, 12 * reply],
      ...[8 * reply, 8 * reply],
    ]);
  });

  test('a batch of little is sent at once though the client was waited for', () => {
    const driver = driverOf({ isAwaited: true });
    driver.serveUntilIdle([stream(...reads(3, 4 * KIB))]);
    expect(stepsOf(driver, 'send')).toHaveLength(1);
  });

  test('replies are sent when the next has no room', () => {
    const driver = driverOf({ outputBytes: 10 * KIB, sendThreshold: 1024 * KIB });
    driver.serveUntilIdle([stream(...reads(5, 4 * KIB))]);
    const reply = 16 + 4 * KIB;
    expect(stepsOf(driver, 'send').map(({ length }) => length)).toEqual([2 * reply, 2 * reply, reply]);
  });

  test('replies of WRITEs are sent at the write threshold though more requests wait', () => {
    const driver = driverOf({ writeThreshold: 8 * KIB });
    const write = { type: Command.WRITE, payload: pattern(4 * KIB) };
    driver.serveUntilIdle([stream(write, write, write, write, write)]);
    expect(stepsOf(driver, 'send').map(({ length }) => length)).toEqual([32, 32, 16]);
  });

  test.each([
    ['FLUSH', { type: Command.FLUSH }],
    ['WRITE with FUA', { type: Command.WRITE, flags: CommandFlag.FUA, payload: pattern(100) }],
    ['TRIM with FUA', { type: Command.TRIM, flags: CommandFlag.FUA, length: 100 }],
  ])('replies do not wait for a %s, which takes as long as the disk', (_name, slow) => {
    const driver = driverOf();
    driver.serveUntilIdle([stream(...reads(2, 100), slow, slow)]);
    expect(stepsOf(driver, 'send').map(({ length }) => length)).toEqual([2 * 116, 16, 16]);
  });

  test('replies do not wait for a payload that has not arrived', () => {
    const driver = driverOf();
    const bytes = stream({ type: Command.FLUSH, cookie: 5n }, { type: Command.WRITE, payload: pattern(100) });
    driver.serveUntilIdle([bytes.subarray(0, bytes.length - 1)]);
    expectBytes(driver.sent, simpleReplyBytes(5n, 0));
  });

  test('a READ as long as the output has room for is one read', () => {
    const driver = driverOf({ outputBytes: 16 + 8 * KIB });
    driver.serveUntilIdle([stream(...reads(2, 8 * KIB))]);
    expect(stepsOf(driver, 'read').map(({ length }) => length)).toEqual([8 * KIB, 8 * KIB]);
  });

  test('a READ longer than the output is read and sent in pieces that end at pages', () => {
    const driver = driverOf({ outputBytes: 10 * KIB });
    const flush = { type: Command.FLUSH };
    driver.serve([stream(flush, { type: Command.READ, offset: 100, length: 30 * KIB }, DISC)]);
    const pieces = stepsOf(driver, 'read');
    for (const { fileOffset, length } of pieces.slice(0, -1)) {
      expect((Number(fileOffset) + Number(length)) % 4096).toBe(0);
    }
    expect(stepsOf(driver, 'send').map(({ flags }) => flags)).toEqual(['', 'more', 'more', 'more', '']);
    const expected = simpleReplyBytes(0n, 0, IMAGE.subarray(100, 100 + 30 * KIB));
    expectBytes(driver.sent, Buffer.concat([simpleReplyBytes(0n, 0), expected]));
  });

  test('a READ of the transfer minimum goes straight to the socket, behind its header and all replies before it', () => {
    const driver = driverOf({ transferMinimum: 32 * KIB, sendThreshold: 64 * KIB });
    const [short, long, last] = [
      { type: Command.READ, length: 32 * KIB - 1 },
      { type: Command.READ, offset: 100, length: 32 * KIB },
      { type: Command.FLUSH },
    ];
    driver.serve([stream(short, long, last, DISC)]);
    expect(driver.operations).toEqual([
      { step: 'read', fileOffset: 0, length: 32 * KIB - 1 },
      { step: 'send', length: 16 + 32 * KIB - 1 + 16, flags: 'more' },
      { step: 'transfer', fileOffset: 100, length: 32 * KIB },
      { step: 'flush' },
      { step: 'send', length: 16, flags: '' },
    ]);
    expect(driver.machine.counters.bytesRead).toBe(64 * KIB - 1);
  });
});

describe('payloads', () => {
  const chunkSizes = [1000];

  test('a payload that fits the input is one write, however it arrives', () => {
    const driver = driverOf({ inputBytes: 32 * KIB });
    const write = { type: Command.WRITE, offset: 300, payload: pattern(32 * KIB) };
    const flush = { type: Command.FLUSH };
    driver.serve(inChunks(stream(flush, flush, write, write, DISC), chunkSizes));
    expect(stepsOf(driver, 'write').map(({ length }) => length)).toEqual([32 * KIB, 32 * KIB]);
  });

  test('a payload that does not fit is written in buffer-fulls that end at pages', () => {
    const driver = driverOf({ inputBytes: 32 * KIB });
    const payload = pattern(200 * KIB, 9);
    driver.serve(inChunks(stream({ type: Command.WRITE, offset: 300, payload }, DISC), chunkSizes));
    const pieces = stepsOf(driver, 'write');
    expect(pieces.length).toBeLessThanOrEqual(9);
    for (const { fileOffset, length } of pieces.slice(0, -1)) {
      expect((Number(fileOffset) + Number(length)) % 4096).toBe(0);
    }
    expectBytes(driver.image.subarray(300, 300 + payload.length), payload);
  });

  test('a payload of the default maximum passes through a small input', () => {
    const payload = pattern(1024 * KIB);
    const image = new Uint8Array(1024 * KIB);
    const driver = new MemoryDriver({ image, inputBytes: 64 * KIB });
    driver.serve([stream({ type: Command.WRITE, payload }, DISC)]);
    expectBytes(driver.image, payload);
    expect(driver.bufferedBytesMax).toBeLessThanOrEqual(64 * KIB + 16);
  });
});

describe('input', () => {
  const INPUT = 32 * KIB;
  const write = requestBytes({ type: Command.WRITE, payload: pattern(12 * KIB) });

  /** Where the machine receives next, after everything before was used up to `partial` bytes of a WRITE. */
  function receiveBehind(partial: number) {
    const driver = driverOf({ inputBytes: INPUT });
    driver.serveUntilIdle([Buffer.concat([write, write.subarray(0, partial)])]);
    return { offset: driver.machine.inputOffset, length: driver.machine.inputLength };
  }

  test('what is buffered and small is moved to the front, for a full receive', () => {
    expect(receiveBehind(28 + 100)).toEqual({ offset: 100, length: INPUT - 100 });
    expect(receiveBehind(27)).toEqual({ offset: 27, length: INPUT - 27 });
  });

  test('when nothing is buffered the next request is placed so that its payload begins a page', () => {
    expect(receiveBehind(0)).toEqual({ offset: 4096 - 28, length: INPUT - 4096 + 28 });
  });

  test('a long payload is received by itself, and so is the next request like it', () => {
    const driver = driverOf({ inputBytes: 256 * KIB });
    const long = requestBytes({ type: Command.WRITE, payload: pattern(100 * KIB) });
    driver.serveUntilIdle([long.subarray(0, 40)]);
    expect(driver.machine.inputLength).toBe(100 * KIB - 12);
    driver.serveUntilIdle([long.subarray(40)]);
    expect(driver.machine.inputLength).toBe(28 + 100 * KIB);
    driver.serveUntilIdle([write]);
    expect(driver.machine.inputLength).toBe(256 * KIB - 4096 + 28);
  });

  test('what is buffered and large stays where it is while its payload has room', () => {
    const offset = 4096 - 28 + 2 * 28 + 12 * KIB + 8 * KIB;
    expect(receiveBehind(28 + 8 * KIB)).toEqual({ offset, length: INPUT - offset });
  });

  test('what is buffered and large is moved when its payload has no room behind it', () => {
    const driver = driverOf({ inputBytes: INPUT });
    driver.serveUntilIdle([Buffer.concat([write, write, write.subarray(0, 28 + 5 * KIB)])]);
    expect(driver.machine.inputOffset).toBe(5 * KIB);
  });
});

describe('bytes received before', () => {
  test('preloaded bytes are served before any receive', () => {
    const driver = driverOf({ inputBytes: 64 });
    driver.machine.preload(stream({ type: Command.FLUSH, cookie: 1n }));
    driver.machine.preload(stream({ type: Command.FLUSH, cookie: 2n }));
    expect(driver.machine.next()).toBe(Step.flush);
  });

  test('what exceeds the input buffer is refused', () => {
    const { machine } = driverOf({ inputBytes: 64 });
    machine.preload(new Uint8Array(60));
    expect(() => {
      machine.preload(new Uint8Array(5));
    }).toThrow(RangeError);
    expect(machine.bufferedBytes).toBe(60);
  });
});

describe('looking ahead', () => {
  const write = { type: Command.WRITE, payload: pattern(100) };
  const [one, two, three] = [4096, 8192, 12288].map((offset) => ({
    type: Command.READ,
    offset,
    length: 512,
  })) as [RequestText, RequestText, RequestText];

  function lookAhead(bytes: Uint8Array, step: number, inputBytes = 64 * KIB): [number, number][] {
    const { machine } = driverOf({ inputBytes });
    machine.preload(bytes);
    expect(machine.next()).toBe(step);
    const seen: [number, number][] = [];
    machine.forEachQueuedRead((fileOffset, length) => seen.push([fileOffset, length]));
    return seen;
  }

  test('the valid READs behind the current one are visited, over payloads and refusals', () => {
    const bytes = stream(
      one,
      { type: 99 },
      write,
      two,
      { type: Command.READ, offset: IMAGE.length, length: 1 },
      three,
    );
    expect(lookAhead(bytes, Step.read)).toEqual([
      [8192, 512],
      [12288, 512],
    ]);
  });

  test('a header or payload that is not whole ends the look', () => {
    const bytes = stream(one, two, three);
    expect(lookAhead(bytes.subarray(0, -1), Step.read)).toEqual([[8192, 512]]);
    const withPayload = stream(one, write);
    expect(lookAhead(withPayload.subarray(0, -1), Step.read)).toEqual([]);
  });

  test('it begins behind the payload of a WRITE under way', () => {
    expect(lookAhead(stream(write, two), Step.write)).toEqual([[8192, 512]]);
  });

  test('it ends at DISC and at what is no request', () => {
    expect(lookAhead(stream(one, DISC, two), Step.read)).toEqual([]);
    expect(lookAhead(Buffer.concat([stream(one), new Uint8Array(28), stream(two)]), Step.read)).toEqual([]);
  });

  test('it looks at no more than 64 requests', () => {
    expect(lookAhead(stream(...reads(100, 512)), Step.read)).toHaveLength(64);
  });

  test('it changes nothing', () => {
    const driver = driverOf();
    const bytes = stream(one, two, DISC);
    driver.machine.preload(bytes);
    driver.machine.forEachQueuedRead(() => undefined);
    driver.serve([]);
    const expected = [4096, 8192].map((offset) =>
      simpleReplyBytes(0n, 0, IMAGE.subarray(offset, offset + 512)),
    );
    expectBytes(driver.sent, Buffer.concat(expected));
  });
});
