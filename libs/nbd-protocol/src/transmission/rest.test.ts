import { expect, test } from 'vitest';
import { byteCount } from '@holdfast/foundation';
import { Command } from '../constants/commands.js';
import { chunkedRepliesOf } from '../testing/chunks.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { MemoryDriver } from '../testing/memory-driver.js';
import { extendedRequestBytes, pattern, requestBytes, simpleReplyBytes } from '../testing/wire.js';
import { TransmissionMachine } from './transmission-machine.js';

const KIB = 1024;
const IMAGE = pattern(64 * KIB);
const write = { type: Command.WRITE, cookie: 1n, offset: 3, payload: pattern(20 * KIB, 9) };
const read = { type: Command.READ, cookie: 2n, offset: 7, length: 100 };

test('a machine rests between two requests, and nowhere else', () => {
  const header = requestBytes(read).length;
  const stream = Buffer.concat([requestBytes(read), requestBytes(write), requestBytes(read)]);
  const whole = [0, header, header + requestBytes(write).length, stream.length];
  // Ends of requests, and places around them.
  for (const end of new Set(whole.flatMap((at) => [at, at + 1, at + header - 1, at + header + 1]))) {
    if (end > stream.length) continue;
    const driver = new MemoryDriver({ image: IMAGE, inputBytes: 8 * KIB });
    driver.serveUntilIdle([stream.subarray(0, end)]);
    const last = Math.max(...whole.filter((at) => at <= end));
    const isInPayload = last === header && end - last >= header;
    expect({ end, rests: driver.machine.isAtRest }).toEqual({ end, rests: !isInPayload });
    if (!isInPayload) expectBytes(driver.machine.undecoded(), stream.subarray(last, end));
  }
});

test('another machine goes on where one rests, wherever the stream was cut', () => {
  const requests = [read, write, { ...read, cookie: 4n }, { type: Command.FLUSH, cookie: 5n }];
  const stream = Buffer.concat(requests.map(requestBytes));
  const whole = new MemoryDriver({ image: IMAGE }).serve([stream]);
  let rests = 0;
  for (let end = 0; end <= stream.length; end += end < 100 || end > stream.length - 100 ? 1 : 997) {
    const first = new MemoryDriver({ image: IMAGE }).serveUntilIdle([stream.subarray(0, end)]);
    if (!first.machine.isAtRest) continue;
    rests += 1;
    const second = new MemoryDriver({ image: first.image });
    second.machine.preload(first.machine.undecoded());
    second.serve([stream.subarray(end)]);
    expectBytes(Buffer.concat([first.sent, second.sent]), whole.sent);
    expectBytes(second.image, whole.image);
  }
  expect(rests).toBeGreaterThan(50);
});

test('Law 6 what was not decoded is a copy, also of an input that is a Buffer', () => {
  const input = Buffer.alloc(8 * KIB);
  const machine = new TransmissionMachine(
    {
      sizeBytes: byteCount(IMAGE.length),
      transmissionFlags: TransmissionFlag.HAS_FLAGS,
      blockSizeMinimum: 1,
      payloadMaximum: 64 * KIB,
      replyMode: 'simple',
      metaContexts: [],
    },
    { input, output: new Uint8Array(8 * KIB) },
    { transferMinimum: Infinity },
  );
  const part = requestBytes(read).subarray(0, 5);
  machine.preload(part);
  machine.next();
  const undecoded = machine.undecoded();
  input.fill(0xff);
  expectBytes(undecoded, part);
});

test('what was not decoded is a copy', () => {
  const driver = new MemoryDriver({ image: IMAGE });
  const bytes = requestBytes(read);
  driver.serveUntilIdle([bytes.subarray(0, 5)]);
  const undecoded = driver.machine.undecoded();
  driver.serve([bytes.subarray(5)]);
  expectBytes(undecoded, bytes.subarray(0, 5));
  expectBytes(driver.sent, simpleReplyBytes(2n, 0, IMAGE.subarray(7, 107)));
});

test('T1 what was found out about payloads goes on with the client', () => {
  const unflagged = (offset: number, payload: Buffer) =>
    Buffer.concat([extendedRequestBytes({ type: Command.WRITE, offset, length: payload.length }), payload]);
  const first = new MemoryDriver({ image: IMAGE, replyMode: 'extended' });
  expect(first.machine.assumesPayloads).toBe(false);
  first.serveUntilIdle([unflagged(0, pattern(3000, 9))]);
  expect(first.machine.assumesPayloads).toBe(true);

  const second = new MemoryDriver({ image: first.image, replyMode: 'extended' });
  second.machine.assumePayloads();
  // It looks like a request: who did not know would take it for one.
  const trap = extendedRequestBytes({ type: Command.TRIM, length: 512 });
  second.serve([unflagged(9000, trap)]);
  expect(chunkedRepliesOf(second.sent, 'extended').map(({ error }) => error)).toEqual([0]);
  expectBytes(second.image.subarray(9000, 9000 + trap.length), trap);
});
