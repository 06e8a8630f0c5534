import { byteCount } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { NbdError } from '../constants/errors.js';
import { chunkedRepliesOf } from '../testing/chunks.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, type MemoryDriverOptions, OFFER_ALL } from '../testing/memory-driver.js';
import { extendedRequestBytes, pattern, requestBytes, type RequestText } from '../testing/wire.js';
import { Step } from './step.js';
import { TransmissionMachine } from './transmission-machine.js';

const KIB = 1024;
const IMAGE = pattern(64 * KIB);
const PROBE = { type: Command.FLUSH, cookie: 1n };
const { EINVAL, ENOSPC, EPERM } = NbdError;

function serve(requests: readonly RequestText[], options: Partial<MemoryDriverOptions> = {}) {
  const driver = new MemoryDriver({ image: IMAGE, replyMode: 'extended', ...options });
  driver.serve([Buffer.concat(requests.map(extendedRequestBytes))]);
  const replies = chunkedRepliesOf(driver.sent, 'extended');
  return { driver, replies, errors: replies.map(({ error }) => error) };
}

describe('payloads', () => {
  test('T1 a WRITE takes its payload by PAYLOAD_LEN', () => {
    const payload = pattern(20 * KIB, 9);
    for (const inputBytes of [64, 64 * KIB]) {
      const { driver, errors } = serve([{ type: Command.WRITE, offset: 5, payload }, PROBE], { inputBytes });
      expect(errors).toEqual([0, 0]);
      expectBytes(driver.image.subarray(5, 5 + payload.length), payload);
    }
  });

  test('T1 a WRITE without PAYLOAD_LEN has no payload, and is EINVAL', () => {
    const { driver, replies, errors } = serve([{ type: Command.WRITE, length: 512 }, PROBE]);
    expect(errors).toEqual([EINVAL, 0]);
    expect(replies[0]?.message).toBe('with extended headers a WRITE has the flag PAYLOAD_LEN');
    expectBytes(driver.image, IMAGE);
  });

  test('T1 a WRITE without PAYLOAD_LEN is EINVAL in sync, followed by a request or by nothing', () => {
    const write = extendedRequestBytes({ type: Command.WRITE, length: 512 });
    for (const stream of [[write], [write, extendedRequestBytes(PROBE)], [write, write, write]]) {
      const driver = new MemoryDriver({ image: IMAGE, replyMode: 'extended' }).serve(stream);
      const errors = chunkedRepliesOf(driver.sent, 'extended').map(({ error }) => error);
      expect(errors).toEqual(stream.map((bytes) => (bytes === write ? EINVAL : 0)));
      expect(driver.closeReason).toBe('end-of-stream');
      expectBytes(driver.image, IMAGE);
    }
  });

  describe('a client that leaves PAYLOAD_LEN out and sends payloads all the same, as QEMU does', () => {
    const payload = pattern(3000, 9);
    const write = (offset: number) =>
      Buffer.concat([extendedRequestBytes({ type: Command.WRITE, offset, length: payload.length }), payload]);

    test('has its data written, however the bytes come', () => {
      const stream = Buffer.concat([write(0), write(5000), extendedRequestBytes(PROBE), write(10_000)]);
      for (const size of [1, 7, 32, 36, 1000, stream.length]) {
        const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
          stream.subarray(index * size, (index + 1) * size),
        );
        const driver = new MemoryDriver({ image: IMAGE, replyMode: 'extended' }).serve(chunks);
        expect(chunkedRepliesOf(driver.sent, 'extended').map(({ error }) => error)).toEqual([0, 0, 0, 0]);
        for (const offset of [0, 5000, 10_000]) {
          expectBytes(driver.image.subarray(offset, offset + payload.length), payload);
        }
      }
    });

    test('may write what looks like a request, once it has shown its way', () => {
      const trap = extendedRequestBytes({ type: Command.TRIM, length: 512 });
      const disguised = [
        extendedRequestBytes({ type: Command.WRITE, offset: 9000, length: trap.length }),
        trap,
      ];
      const driver = new MemoryDriver({ image: IMAGE, replyMode: 'extended' });
      driver.serve([write(0), ...disguised, extendedRequestBytes(PROBE)]);
      expect(chunkedRepliesOf(driver.sent, 'extended').map(({ error }) => error)).toEqual([0, 0, 0]);
      expectBytes(driver.image.subarray(9000, 9000 + trap.length), trap);
    });

    test('is not taken for one that has set the flag before', () => {
      const flagged = extendedRequestBytes({ type: Command.WRITE, offset: 1, payload });
      const driver = new MemoryDriver({ image: IMAGE, replyMode: 'extended' }).serve([
        flagged,
        write(20_000),
      ]);
      expect(driver.closeReason).toBe('bad-magic');
      expectBytes(driver.image.subarray(20_000), IMAGE.subarray(20_000));
    });

    test('is bounded by the maximum payload', () => {
      const header = extendedRequestBytes({ type: Command.WRITE, length: 33 * 1024 * KIB });
      const driver = new MemoryDriver({ image: IMAGE, replyMode: 'extended' }).serve([header, payload]);
      expect(driver.closeReason).toBe('payload-too-large');
    });
  });

  test.each([
    ['READ', Command.READ],
    ['FLUSH', Command.FLUSH],
    ['TRIM', Command.TRIM],
    ['CACHE', Command.CACHE],
    ['WRITE_ZEROES', Command.WRITE_ZEROES],
    ['BLOCK_STATUS', Command.BLOCK_STATUS],
    ['an unknown command', 99],
  ])('T1 a payload of %s is consumed, then EINVAL', (_name, type) => {
    // What would be a request if it were taken for one.
    const payload = Buffer.concat([extendedRequestBytes({ type: Command.TRIM, length: 512 }), pattern(5000)]);
    for (const inputBytes of [64, 64 * KIB]) {
      const { driver, errors } = serve([{ type, payload }, PROBE], { inputBytes });
      expect(errors).toEqual([EINVAL, 0]);
      expectBytes(driver.image, IMAGE);
    }
  });

  test('T1 a payload above the maximum ends the connection, of whatever command', () => {
    const flags = CommandFlag.PAYLOAD_LEN;
    for (const type of [Command.WRITE, Command.READ, Command.TRIM, 99]) {
      for (const length of [8 * KIB + 1, 2n ** 32n, 2n ** 64n - 1n]) {
        const { driver, errors } = serve([PROBE, { type, flags, length }, PROBE], {
          payloadMaximum: 8 * KIB,
        });
        expect(driver.closeReason).toBe('payload-too-large');
        expect(errors).toEqual([0]);
      }
    }
  });

  test('T1 an empty payload is none', () => {
    const empty = new Uint8Array();
    const { errors } = serve([
      { type: Command.WRITE, payload: empty },
      { type: Command.READ, payload: empty },
      PROBE,
    ]);
    expect(errors).toEqual([EINVAL, EINVAL, 0]);
  });

  test('T3 a WRITE that is refused passes by, and is answered behind its payload', () => {
    const payload = pattern(3 * KIB);
    const { errors } = serve([
      { type: Command.WRITE, offset: 63 * KIB, payload },
      { type: Command.WRITE, flags: 1 << 14, payload },
      PROBE,
    ]);
    expect(errors).toEqual([ENOSPC, EINVAL, 0]);
  });
});

describe('64 bits', () => {
  test('T6 a length beyond 4 GiB keeps its number', () => {
    const machine = new TransmissionMachine(
      {
        sizeBytes: byteCount(2 ** 50),
        transmissionFlags: OFFER_ALL,
        blockSizeMinimum: 1,
        payloadMaximum: 32 * KIB * KIB,
        replyMode: 'extended',
        metaContexts: [],
      },
      { input: new Uint8Array(64), output: new Uint8Array(256) },
      { transferMinimum: Infinity },
    );
    machine.preload(
      extendedRequestBytes({ type: Command.TRIM, offset: 2 ** 45 + 12345, length: 2 ** 44 + 1 }),
    );
    expect(machine.next()).toBe(Step.trim);
    expect(machine).toMatchObject({ fileOffset: 2 ** 45 + 12345, length: 2 ** 44 + 1 });
  });

  test.each([
    ['TRIM', Command.TRIM, EINVAL],
    ['WRITE_ZEROES', Command.WRITE_ZEROES, ENOSPC],
    ['CACHE', Command.CACHE, EINVAL],
    ['READ', Command.READ, EINVAL],
  ])('T4 %s beyond the end is refused, however far', (_name, type, error) => {
    const far = [64n * 1024n + 1n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
    const requests = far.flatMap((length) => [
      { type, length },
      { type, offset: length, length: 1 },
      { type, offset: length, length },
    ]);
    const { driver, errors } = serve([...requests, PROBE]);
    expect(errors).toEqual([...requests.map(() => error), 0]);
    expect(driver.operations.filter(({ step }) => !['send', 'flush'].includes(step))).toEqual([]);
  });

  test('T12 T16 every reply echoes offset and cookie bit for bit', () => {
    const offset = 0xf102_0304_8506_0709n;
    const cookie = 0x8191_a2b3_c4d5_e6f7n;
    const { replies } = serve([
      { type: Command.READ, cookie, offset, length: 1 },
      { type: Command.READ, cookie, offset: 0x1234n, length: 5000 },
      { type: Command.TRIM, cookie, offset: 7n, length: 9 },
    ]);
    expect(replies.map((reply) => [reply.cookie, reply.offset, reply.error])).toEqual([
      [cookie, offset, EINVAL],
      [cookie, 0x1234n, 0],
      [cookie, 7n, 0],
    ]);
  });
});

test('T8 no simple reply, ever', () => {
  const commands = [0, 1, 3, 4, 5, 6, 7, 99].map((type) => ({ type, length: type === 3 ? 0 : 512 }));
  const { driver, errors } = serve(commands);
  expect(errors.length).toBe(commands.length);
  expect(driver.sent.includes(Buffer.from('67446698', 'hex'))).toBe(false);
  expect(driver.sent.includes(Buffer.from('668e33ef', 'hex'))).toBe(false);
});

test('T7 a compact request ends the connection, and so does an extended one where compact ones are spoken', () => {
  const compact = new MemoryDriver({ image: IMAGE, replyMode: 'extended' }).serve([requestBytes(PROBE)]);
  // The compact one is shorter than the header that is awaited.
  expect(compact.closeReason).toBe('truncated-request');
  const two = Buffer.concat([requestBytes(PROBE), requestBytes(PROBE)]);
  expect(new MemoryDriver({ image: IMAGE, replyMode: 'extended' }).serve([two]).closeReason).toBe(
    'bad-magic',
  );
  const extended = new MemoryDriver({ image: IMAGE, replyMode: 'structured' });
  expect(extended.serve([extendedRequestBytes(PROBE)]).closeReason).toBe('bad-magic');
});

test('T1 PAYLOAD_LEN in a compact request is EINVAL; the payload is that of a WRITE alone', () => {
  const flags = CommandFlag.PAYLOAD_LEN;
  const driver = new MemoryDriver({ image: IMAGE, replyMode: 'structured' });
  driver.serve([
    Buffer.concat([
      requestBytes({ type: Command.WRITE, flags, payload: pattern(100) }),
      requestBytes({ type: Command.READ, flags, length: 100 }),
      requestBytes(PROBE),
    ]),
  ]);
  expect(chunkedRepliesOf(driver.sent, 'structured').map(({ error }) => error)).toEqual([EINVAL, EINVAL, 0]);
});

test('T18 a read-only export refuses what writes, payload and all', () => {
  const { driver, errors } = serve(
    [
      { type: Command.WRITE, payload: pattern(5000) },
      { type: Command.TRIM, length: 1 },
      { type: Command.WRITE_ZEROES, length: 1 },
      { type: Command.READ, length: 1 },
    ],
    { transmissionFlags: 3 },
  );
  expect(errors).toEqual([EPERM, EPERM, EPERM, 0]);
  expectBytes(driver.image, IMAGE);
});
