import { byteCount } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { NbdError } from '../constants/errors.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, type MemoryDriverOptions, OFFER_ALL } from '../testing/memory-driver.js';
import { errorsOf, pattern, requestBytes, type RequestText, simpleReplyBytes } from '../testing/wire.js';
import { Step } from './step.js';
import { TransmissionMachine } from './transmission-machine.js';

const KIB = 1024;
const IMAGE = pattern(64 * KIB);
const DISC: RequestText = { type: Command.DISC };
const PROBE: RequestText = { type: Command.FLUSH, cookie: 0xfeedn };
const PROBED = simpleReplyBytes(0xfeedn, 0);

function stream(...requests: readonly RequestText[]): Buffer {
  return Buffer.concat(requests.map(requestBytes));
}

/** Serves the requests in one chunk, then the end of the stream. */
function serve(requests: readonly RequestText[], options: Partial<MemoryDriverOptions> = {}): MemoryDriver {
  return new MemoryDriver({ image: IMAGE, ...options }).serve([stream(...requests)]);
}

function filesOf(driver: MemoryDriver) {
  return driver.operations.filter(({ step }) => step !== 'send');
}

describe('what the client sends', () => {
  test('T1 an unknown command is EINVAL, and the stream stays in sync', () => {
    const { sent } = serve([{ type: 9, cookie: 1n, length: 512 }, { type: 0xffff, length: 9 }, PROBE, DISC]);
    expect(errorsOf(sent)).toEqual([NbdError.EINVAL, NbdError.EINVAL, 0]);
  });

  test('T1 a WRITE above the maximum payload ends the connection, after the replies before it', () => {
    const write = { type: Command.WRITE, length: 8 * KIB + 1 };
    const driver = serve([PROBE, write, PROBE], { payloadMaximum: 8 * KIB });
    expect(driver.closeReason).toBe('payload-too-large');
    expectBytes(driver.sent, PROBED);
    expect(filesOf(driver)).toEqual([{ step: 'flush' }]);
  });

  test('T1 a WRITE above the maximum payload ends the connection though it would be refused anyway', () => {
    const write = { type: Command.WRITE, flags: 0x8000, length: 8 * KIB + 1 };
    const transmissionFlags = OFFER_ALL | TransmissionFlag.READ_ONLY;
    expect(serve([write], { payloadMaximum: 8 * KIB, transmissionFlags }).closeReason).toBe(
      'payload-too-large',
    );
  });

  test('T2 a WRITE with an unknown flag is EINVAL, its payload passes by', () => {
    const driver = serve([{ type: Command.WRITE, flags: 0x0400, payload: pattern(100) }, PROBE, DISC]);
    expect(errorsOf(driver.sent)).toEqual([NbdError.EINVAL, 0]);
    expectBytes(driver.image, IMAGE);
  });

  test('T4 a READ past the end is EINVAL, a WRITE past the end is ENOSPC and writes nothing', () => {
    const past = { offset: IMAGE.length - 1 };
    const driver = serve([
      { type: Command.READ, ...past, length: 2 },
      { type: Command.WRITE, ...past, payload: pattern(2) },
      { type: Command.TRIM, ...past, length: 2 },
      { type: Command.WRITE_ZEROES, ...past, length: 2 },
      { type: Command.READ, offset: 2n ** 64n - 1n, length: 2 },
      DISC,
    ]);
    const { EINVAL, ENOSPC } = NbdError;
    expect(errorsOf(driver.sent)).toEqual([EINVAL, ENOSPC, EINVAL, ENOSPC, EINVAL]);
    expect(filesOf(driver)).toEqual([]);
  });

  test('T4 on a read-only export a WRITE is EPERM and drained', () => {
    const transmissionFlags = OFFER_ALL | TransmissionFlag.READ_ONLY;
    const write = { type: Command.WRITE, payload: pattern(100) };
    const driver = serve([write, { type: Command.TRIM, length: 9 }, PROBE, DISC], { transmissionFlags });
    expect(errorsOf(driver.sent)).toEqual([NbdError.EPERM, NbdError.EPERM, 0]);
  });

  test('T5 a misaligned request touches no data', () => {
    const requests = [
      { type: Command.WRITE, offset: 512, payload: pattern(100) },
      { type: Command.WRITE, offset: 100, payload: pattern(512) },
      { type: Command.READ, offset: 0, length: 100 },
    ];
    const driver = serve([...requests, DISC], { blockSizeMinimum: 512 });
    expect(errorsOf(driver.sent)).toEqual([NbdError.EINVAL, NbdError.EINVAL, NbdError.EINVAL]);
    expect(filesOf(driver)).toEqual([]);
  });

  test('T6 a TRIM longer than the maximum payload is served', () => {
    const driver = serve([{ type: Command.TRIM, length: 64 * KIB }, DISC], { payloadMaximum: 8 * KIB });
    expect(errorsOf(driver.sent)).toEqual([0]);
    expect(filesOf(driver)).toEqual([{ step: 'trim', fileOffset: 0, length: 64 * KIB, flags: '' }]);
  });

  test('T7 a length of zero is EINVAL and the connection goes on', () => {
    const types = [Command.READ, Command.WRITE, Command.TRIM, Command.WRITE_ZEROES];
    const driver = serve([...types.map((type) => ({ type, length: 0 })), PROBE, DISC]);
    expect(errorsOf(driver.sent)).toEqual([22, 22, 22, 22, 0]);
    expect(driver.closeReason).toBe('disconnect');
  });

  test('T7 a wrong magic ends the connection after what was asked before it', () => {
    const wrong = requestBytes({ type: Command.READ, length: 1 });
    wrong[0] = 0;
    const driver = new MemoryDriver({ image: IMAGE }).serve([Buffer.concat([stream(PROBE), wrong])]);
    expectBytes(driver.sent, PROBED);
    expect(driver.closeReason).toBe('bad-magic');
  });

  test('T15 DISC sends what is queued, takes nothing after it, and closes', () => {
    const driver = serve([PROBE, DISC, PROBE]);
    expectBytes(driver.sent, PROBED);
    expect(driver.closeReason).toBe('disconnect');
    expect(driver.machine.next()).toBe(Step.close);
  });

  test('a stream that ends between requests is told from one that ends within', () => {
    expect(serve([]).closeReason).toBe('end-of-stream');
    expect(serve([PROBE]).closeReason).toBe('end-of-stream');
    const whole = stream(PROBE, { type: Command.WRITE, payload: pattern(10) });
    for (const end of [29, 55, 56, 57, 65]) {
      const driver = new MemoryDriver({ image: IMAGE }).serve([whole.subarray(0, end)]);
      expect(driver.closeReason, `after ${end} bytes`).toBe('truncated-request');
      expectBytes(driver.sent, PROBED);
    }
  });
});

describe('what fails', () => {
  const eio = (step: string) => (operation: { step: string }) => (operation.step === step ? 5 : 0);

  test.each([
    [5, NbdError.EIO],
    [28, NbdError.ENOSPC],
    [122, NbdError.ENOSPC],
    [30, NbdError.EPERM],
    [9, NbdError.EIO],
  ])('T3 a WRITE that fails with errno %i is answered %i, and the connection goes on', (errno, error) => {
    const write = { type: Command.WRITE, payload: pattern(100) };
    const fault = ({ step }: { step: string }) => (step === 'write' ? errno : 0);
    expect(errorsOf(serve([write, PROBE, DISC], { fault }).sent)).toEqual([error, 0]);
  });

  test('T3 when one piece of a WRITE fails the rest passes by unwritten', () => {
    const write = { type: Command.WRITE, payload: pattern(32 * KIB, 7) };
    let writes = 0;
    const fault = ({ step }: { step: string }) => (step === 'write' && ++writes === 2 ? 5 : 0);
    const driver = serve([write, PROBE, DISC], { fault, inputBytes: 8 * KIB });
    expect(errorsOf(driver.sent)).toEqual([NbdError.EIO, 0]);
    expect(writes).toBe(2);
    expect(driver.machine.counters).toMatchObject({ requests: 2, errors: 1 });
  });

  test('T10 a READ that fails before its header is sent is answered in band', () => {
    const read = { type: Command.READ, cookie: 7n, length: 4 * KIB };
    const driver = serve([read, PROBE, DISC], { fault: eio('read') });
    expectBytes(driver.sent, Buffer.concat([simpleReplyBytes(7n, NbdError.EIO), PROBED]));
  });

  test('T10 a READ in pieces whose first piece fails is answered in band', () => {
    const read = { type: Command.READ, cookie: 7n, length: 32 * KIB };
    const driver = serve([read, PROBE, DISC], { fault: eio('read'), outputBytes: 8 * KIB });
    expectBytes(driver.sent, Buffer.concat([simpleReplyBytes(7n, NbdError.EIO), PROBED]));
    expect(driver.closeReason).toBe('disconnect');
  });

  test('T10 a READ in pieces that fails later ends the connection at once', () => {
    let reads = 0;
    const fault = ({ step }: { step: string }) => (step === 'read' && ++reads === 3 ? 5 : 0);
    const read = { type: Command.READ, cookie: 7n, length: 32 * KIB };
    const driver = serve([read, PROBE], { fault, outputBytes: 8 * KIB });
    expect(driver.closeReason).toBe('io-error');
    expect(driver.sent.length).toBeLessThan(16 + 32 * KIB);
    expect(driver.operations.at(-1)).toMatchObject({ step: 'read' });
    expect(driver.machine.counters).toMatchObject({ requests: 1, errors: 1 });
  });

  test('T10 a transfer that fails ends the connection at once', () => {
    const read = { type: Command.READ, cookie: 7n, length: 4 * KIB };
    const driver = serve([PROBE, read, PROBE], { fault: eio('transfer'), transferMinimum: 4 * KIB });
    expect(driver.closeReason).toBe('io-error');
    const half = IMAGE.subarray(0, 2 * KIB);
    expectBytes(driver.sent, Buffer.concat([PROBED, simpleReplyBytes(7n, 0, half)]));
    expect(driver.operations.at(-1)).toMatchObject({ step: 'transfer' });
  });

  test('T14 FAST_ZERO that is not fast is ENOTSUP', () => {
    const zero = { type: Command.WRITE_ZEROES, flags: CommandFlag.FAST_ZERO, length: 512 };
    const fault = ({ flags }: { flags?: string }) => (flags === 'fast' ? 95 : 0);
    const driver = serve([zero, PROBE, DISC], { fault });
    expect(errorsOf(driver.sent)).toEqual([NbdError.ENOTSUP, 0]);
    expectBytes(driver.image, IMAGE);
  });

  test.each(['flush', 'trim', 'zero'])('a %s that fails is answered in band', (step) => {
    const type = { flush: Command.FLUSH, trim: Command.TRIM, zero: Command.WRITE_ZEROES }[step] ?? 0;
    const driver = serve([{ type, length: step === 'flush' ? 0 : 9 }, DISC], { fault: eio(step) });
    expect(errorsOf(driver.sent)).toEqual([NbdError.EIO]);
  });
});

describe('what the driver is told', () => {
  test('T13 FUA makes a write, trim or zero durable, and nothing else', () => {
    const { FUA, NO_HOLE, FAST_ZERO } = CommandFlag;
    const driver = serve([
      { type: Command.WRITE, flags: FUA, payload: pattern(5) },
      { type: Command.WRITE, payload: pattern(5) },
      { type: Command.TRIM, flags: FUA, length: 5 },
      { type: Command.TRIM, length: 5 },
      { type: Command.WRITE_ZEROES, flags: FUA | NO_HOLE | FAST_ZERO, offset: 3, length: 5 },
      { type: Command.WRITE_ZEROES, flags: NO_HOLE, offset: 3, length: 5 },
      { type: Command.WRITE_ZEROES, offset: 3, length: 5 },
      { type: Command.READ, flags: FUA, length: 5 },
      { type: Command.FLUSH, flags: FUA },
      DISC,
    ]);
    expect(filesOf(driver)).toEqual([
      { step: 'write', fileOffset: 0, length: 5, flags: 'durable' },
      { step: 'write', fileOffset: 0, length: 5, flags: '' },
      { step: 'trim', fileOffset: 0, length: 5, flags: 'durable' },
      { step: 'trim', fileOffset: 0, length: 5, flags: '' },
      { step: 'zero', fileOffset: 3, length: 5, flags: 'durable noHole fast' },
      { step: 'zero', fileOffset: 3, length: 5, flags: 'noHole' },
      { step: 'zero', fileOffset: 3, length: 5, flags: '' },
      { step: 'read', fileOffset: 0, length: 5 },
      { step: 'flush' },
    ]);
  });

  test('T13 every piece of a WRITE with FUA is durable', () => {
    const write = { type: Command.WRITE, flags: CommandFlag.FUA, payload: pattern(20 * KIB) };
    const pieces = filesOf(serve([write, DISC], { inputBytes: 8 * KIB }));
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) expect(piece.flags).toBe('durable');
  });

  test('a TRIM of 2^32−1 bytes beyond 4 GiB keeps its numbers', () => {
    const machine = new TransmissionMachine(
      {
        sizeBytes: byteCount(2 ** 50),
        transmissionFlags: OFFER_ALL,
        blockSizeMinimum: 1,
        payloadMaximum: 32 * KIB * KIB,
        replyMode: 'simple',
        metaContexts: [],
      },
      { input: new Uint8Array(64), output: new Uint8Array(64) },
      { transferMinimum: Infinity },
    );
    machine.preload(requestBytes({ type: Command.TRIM, offset: 2 ** 45 + 12345, length: 0xffff_ffff }));
    expect(machine.next()).toBe(Step.trim);
    expect(machine).toMatchObject({ fileOffset: 2 ** 45 + 12345, length: 0xffff_ffff });
  });

  test('counters count', () => {
    const driver = serve([
      { type: Command.READ, length: 300 },
      { type: Command.WRITE, payload: pattern(200) },
      { type: Command.WRITE, offset: IMAGE.length, payload: pattern(200) },
      { type: 99 },
      PROBE,
      DISC,
    ]);
    expect(driver.machine.counters).toEqual({ requests: 5, bytesRead: 300, bytesWritten: 200, errors: 2 });
  });
});

describe('shutdown', () => {
  test('T16 new requests are answered ESHUTDOWN with their cookie, and payloads pass by', () => {
    const driver = new MemoryDriver({ image: IMAGE }).serveUntilIdle([stream(PROBE)]);
    driver.machine.beginShutdown();
    driver.serve([
      stream(
        { type: Command.WRITE, cookie: 2n ** 64n - 1n, payload: pattern(100) },
        { type: Command.READ, cookie: 3n, length: 100 },
        { type: 77, cookie: 4n },
        DISC,
      ),
    ]);
    const { ESHUTDOWN } = NbdError;
    const refused = [2n ** 64n - 1n, 3n, 4n].map((cookie) => simpleReplyBytes(cookie, ESHUTDOWN));
    expectBytes(driver.sent, Buffer.concat([PROBED, ...refused]));
    expect(driver.closeReason).toBe('disconnect');
    expectBytes(driver.image, IMAGE);
  });

  test('T16 a WRITE whose payload is under way finishes', () => {
    const bytes = stream({ type: Command.WRITE, payload: pattern(20 * KIB, 3) });
    const driver = new MemoryDriver({ image: IMAGE, inputBytes: 8 * KIB });
    driver.serveUntilIdle([bytes.subarray(0, 10 * KIB)]);
    driver.machine.beginShutdown();
    driver.serve([bytes.subarray(10 * KIB)]);
    expect(errorsOf(driver.sent)).toEqual([0]);
    expectBytes(driver.image.subarray(0, 20 * KIB), pattern(20 * KIB, 3));
  });
});

describe('a driver that breaks its promises', () => {
  const machine = () => new MemoryDriver({ image: IMAGE }).machine;

  test('a step is reported before the next, and as what it was', () => {
    const idle = machine();
    expect(() => {
      idle.completed(0);
    }).toThrow('an operation is reported');
    expect(() => {
      idle.sent();
    }).toThrow('a send is reported');
    expect(() => {
      idle.received(1);
    }).toThrow('a receive is reported');
    expect(idle.next()).toBe(Step.receive);
    expect(() => idle.next()).toThrow('a step is reported before the next');
    expect(() => {
      idle.completed(0);
    }).toThrow('an operation is reported');
  });

  test('more bytes than were asked for are not taken', () => {
    const receiving = machine();
    receiving.next();
    expect(() => {
      receiving.received(receiving.inputLength + 1);
    }).toThrow('fits the region');
  });

  test.each([
    ['input of 63 bytes', { inputBytes: 63 }],
    ['output of 63 bytes', { outputBytes: 63 }],
    ['minimum block of 3 bytes', { blockSizeMinimum: 3 }],
    ['minimum block of 128 KiB', { blockSizeMinimum: 128 * KIB }],
    ['payload below the block', { blockSizeMinimum: 4096, payloadMaximum: 4095 }],
    ['send threshold of 0', { sendThreshold: 0 }],
    ['negative transfer minimum', { transferMinimum: -1 }],
    ['FAST_ZERO alone', { transmissionFlags: TransmissionFlag.SEND_FAST_ZERO }],
  ])('T5 a session with an %s is not made', (_name, options) => {
    expect(() => new MemoryDriver({ image: IMAGE, ...options })).toThrow();
  });
});
