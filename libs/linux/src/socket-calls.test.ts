import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Errno } from './errno.js';
import { NativeBuffer } from './native-buffer.js';
import type { OwnedFd } from './owned-fd.js';
import { MessageFlag, receive, sendBytes, sendFile, ShutdownHow, shutdownSocket } from './socket-calls.js';
import { socketPair } from './sockets.js';
import { Child, compiledModule } from './testing/child.js';
import { TestFolder } from './testing/folder.js';
import { startWorker } from './testing/worker.js';

const memory = NativeBuffer.allocate(1024 * 1024);
const { address, bytes } = memory;

let near: OwnedFd;
let far: OwnedFd;

beforeEach(() => {
  [near, far] = socketPair();
});

afterEach(() => {
  near[Symbol.dispose]();
  far[Symbol.dispose]();
});

describe('sending and receiving', () => {
  test('bytes go from address to address', () => {
    bytes.write('over the wire');
    expect(sendBytes(near.number, address, 13, MessageFlag.NONE)).toBe(13);
    expect(receive(far.number, address + 1000, 100, MessageFlag.NONE)).toBe(13);
    expect(bytes.toString('latin1', 1000, 1013)).toBe('over the wire');
  });

  test('flags are passed on: a peek leaves the bytes, WAITALL waits for all', () => {
    bytes.write('abcdef');
    sendBytes(near.number, address, 6, MessageFlag.MORE);
    expect(receive(far.number, address, 100, MessageFlag.PEEK | MessageFlag.DONTWAIT)).toBe(6);
    expect(receive(far.number, address, 6, MessageFlag.WAITALL)).toBe(6);
    expect(receive(far.number, address, 6, MessageFlag.DONTWAIT)).toBe(-Errno.EAGAIN);
  });

  test('the end of the peer is 0', () => {
    far.close();
    expect(receive(near.number, address, 10, MessageFlag.NONE)).toBe(0);
  });

  test('a full buffer is -EAGAIN after a short count', () => {
    let sent = 0;
    for (;;) {
      const count = sendBytes(near.number, address, 1024 * 1024, MessageFlag.DONTWAIT);
      if (count === -Errno.EAGAIN) break;
      expect(count).toBeGreaterThan(0);
      sent += count;
    }
    expect(sent).toBeGreaterThan(0);
  });

  test('a peer that is gone is -EPIPE, without a signal even where SIGPIPE would kill', async () => {
    await using child = new Child(`
      const { declare } = await import(${JSON.stringify(compiledModule('libc.js'))});
      declare('size_t signal(int, size_t)')(13, 0);
      const [near, far] = linux.socketPair();
      far.close();
      console.log(linux.sendBytes(near.number, linux.NativeBuffer.allocate(1).address, 1, 0));`);
    expect(await child.line()).toBe(String(-Errno.EPIPE));
    expect(await child.ended()).toBe(0);
  });
});

describe('sendFile', () => {
  test('sends from the given offset, beyond 4 GiB too, and 0 at the end', () => {
    using folder = new TestFolder();
    const path = folder.file('f');
    writeFileSync(path, 'skipped, then sent');
    const file = openSync(path, 'r+');
    expect(sendFile(near.number, file, 14, 100)).toBe(4);
    expect(receive(far.number, address, 100, MessageFlag.NONE)).toBe(4);
    expect(bytes.toString('latin1', 0, 4)).toBe('sent');
    expect(sendFile(near.number, file, 18, 100)).toBe(0);
    expect(sendFile(near.number, file, 3 * 2 ** 33, 100)).toBe(0);
    closeSync(file);
  });

  test('its errors are negative errnos', () => {
    const file = openSync('/proc/self/exe', 'r');
    expect(sendFile(near.number, 1_000_000, 0, 10)).toBe(-Errno.EBADF);
    expect(sendFile(near.number, file, -1, 10)).toBe(-Errno.EINVAL);
    far.close();
    expect(sendFile(near.number, file, 0, 10)).toBe(-Errno.EPIPE);
    closeSync(file);
  });
});

describe('a call that fails returns its negative errno at once', () => {
  const nobody = 1_000_000;

  test.each([
    ['receive', () => receive(nobody, address, 1, 0)],
    ['sendBytes', () => sendBytes(nobody, address, 1, 0)],
    ['sendFile', () => sendFile(nobody, nobody, 0, 1)],
    ['shutdownSocket', () => shutdownSocket(nobody, ShutdownHow.BOTH)],
  ])('%s on a descriptor that is not open', (_name, call) => {
    expect(call()).toBe(-Errno.EBADF);
  });

  test('what is no socket is -ENOTSOCK, what is no address -EFAULT', () => {
    const file = openSync('/dev/null', 'r+');
    expect(receive(file, address, 1, 0)).toBe(-Errno.ENOTSOCK);
    expect(sendBytes(file, address, 1, 0)).toBe(-Errno.ENOTSOCK);
    expect(shutdownSocket(file, ShutdownHow.READ)).toBe(-Errno.ENOTSOCK);
    closeSync(file);
    expect(sendBytes(near.number, 1, 100, 0)).toBe(-Errno.EFAULT);
  });
});

test('shutdown ends one direction and leaves the other', () => {
  expect(shutdownSocket(near.number, ShutdownHow.WRITE)).toBe(0);
  expect(receive(far.number, address, 10, MessageFlag.NONE)).toBe(0);
  expect(sendBytes(far.number, address, 10, MessageFlag.NONE)).toBe(10);
  expect(receive(near.number, address, 10, MessageFlag.NONE)).toBe(10);
});

test('a signal during a blocking call repeats it', async () => {
  // With a receive timeout set the kernel never restarts the call by itself (signal(7)).
  await using child = new Child(`
    const { declare } = await import(${JSON.stringify(compiledModule('libc.js'))});
    const memory = linux.NativeBuffer.allocate(64);
    memory.view.setUint32(0, 30, true);
    declare('int setsockopt(int, int, int, size_t, uint32_t)')(3, 1, 20, memory.address, 16);
    linux.setBlocking(3, true);
    process.on('SIGUSR2', () => {});
    console.log('receiving');
    console.log(linux.receive(3, memory.address, 64, 0));`);
  expect(await child.line()).toBe('receiving');
  for (let count = 0; count < 5; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    child.process.kill('SIGUSR2');
  }
  child.channel.write('hello');
  expect(await child.line()).toBe('5');
});

test('in a worker thread: shutdown wakes a thread that blocks in receive, and it can be terminated', async () => {
  const worker = await startWorker(
    `
      const memory = linux.NativeBuffer.allocate(4096);
      for (;;) {
        const count = linux.receive(data, memory.address, 4096, 0);
        if (count <= 0) { parentPort.postMessage(count); break; }
        linux.sendBytes(data, memory.address, count, 0);
      }`,
    far.number,
  );
  bytes.write('echo');
  sendBytes(near.number, address, 4, 0);
  expect(receive(near.number, address + 100, 4, MessageFlag.WAITALL)).toBe(4);
  expect(bytes.toString('latin1', 100, 104)).toBe('echo');
  const answered = once(worker, 'message');
  expect(shutdownSocket(far.number, ShutdownHow.BOTH)).toBe(0);
  expect(await answered).toEqual([0]);
  await worker.terminate();
});
