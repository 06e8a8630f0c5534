import { once } from 'node:events';
import { chmodSync, closeSync, fstatSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { HoldfastError } from '@holdfast/foundation';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readAt } from '../data-calls.js';
import { NativeBuffer } from '../native-buffer.js';
import { OwnedFd } from '../owned-fd.js';
import { openFdCount, osThreadCount } from '../process.js';
import { setBlocking, socketPair } from '../sockets.js';
import { Child } from '../testing/child.js';
import { TestFolder } from '../testing/folder.js';
import { HandoffListener, type Handoff } from './handoff-listener.js';
import { HANDOFF_PAYLOAD_MAX } from './limits.js';
import { HandoffReader } from './receive-handoff.js';
import { sendHandoff } from './send-handoff.js';
import { listenAt } from './socket-path.js';
import { acceptPeer } from './unix-socket.js';

const token = Buffer.from('0123456789abcdef');
const nothing = Buffer.alloc(0);

let folder: TestFolder;
let path: string;
let listener: HandoffListener;
let refusals: string[];
let arrived: Handoff[];

beforeEach(async () => {
  folder = new TestFolder();
  path = folder.file('handoff.sock');
  refusals = [];
  arrived = [];
  listener = await HandoffListener.listen(path, {
    allowedUid: process.getuid?.() ?? 0,
    onHandoff: (handoff) => arrived.push(handoff),
    onRefused: (reason) => refusals.push(reason),
  });
});

afterEach(async () => {
  await listener.close();
  for (const { fd } of arrived) fd[Symbol.dispose]();
  folder[Symbol.dispose]();
});

async function nextHandoff(): Promise<Handoff> {
  const handoff = await vi.waitUntil(() => arrived.shift(), { interval: 1, timeout: 5000 });
  return handoff;
}

function openPattern(content: string): number {
  writeFileSync(folder.file('content'), content);
  return openSync(folder.file('content'), 'r');
}

describe('one descriptor', () => {
  test('is there as soon as its sender is: a crowd of senders has no silent ones', async () => {
    const fd = openPattern('the file');
    const raw = await listenAt(folder.file('raw.sock'));
    const sent = sendHandoff(folder.file('raw.sock'), token, nothing, fd);
    // No turn of any loop lies between.
    using peer = new OwnedFd(acceptPeer(raw.fd.number));
    const received = new HandoffReader().receive(peer.number);
    if (received.kind !== 'handoff') throw new Error(`it is not there: ${received.kind}`);
    received.fd.close();
    await sent;
    raw.fd.close();
    closeSync(fd);
  });

  test('arrives with token, payload and peer, close-on-exec, as the same open file', async () => {
    const fd = openPattern('the file');
    await sendHandoff(path, token, Buffer.from('read so far'), fd);
    const handoff = await nextHandoff();
    expect(handoff.token.equals(token)).toBe(true);
    expect(handoff.payload.toString()).toBe('read so far');
    expect(handoff.peer).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
    expect(handoff.fd.number).not.toBe(fd);
    expect(fstatSync(handoff.fd.number).ino).toBe(fstatSync(fd).ino);
    expect(readFileSync(`/proc/self/fdinfo/${handoff.fd.number}`, 'utf8')).toMatch(/^flags:\s*02\d{6}$/m);
    handoff.fd.close();
    closeSync(fd);
  });

  test('D7 the sender may close its own, and reuse its buffers, as soon as it has the promise', async () => {
    const fd = openPattern('still readable');
    const [ownToken, payload] = [Buffer.from(token), Buffer.from('payload')];
    const sending = sendHandoff(path, ownToken, payload, fd);
    closeSync(fd);
    ownToken.fill(0);
    payload.fill(0);
    await sending;
    const handoff = await nextHandoff();
    const memory = NativeBuffer.allocate(100);
    expect(readAt(handoff.fd.number, memory.address, 100, 0)).toBe('still readable'.length);
    expect(handoff.token.equals(token)).toBe(true);
    expect(handoff.payload.toString()).toBe('payload');
    handoff.fd.close();
    memory.dispose();
  });

  test.each([0, 1, 4096, HANDOFF_PAYLOAD_MAX])('a payload of %i bytes arrives whole', async (length) => {
    const payload = Buffer.from(Array.from({ length }, (_, index) => index % 251));
    const fd = openPattern('');
    await sendHandoff(path, token, payload, fd);
    const handoff = await nextHandoff();
    expect(handoff.payload.equals(payload)).toBe(true);
    closeSync(fd);
    handoff.fd.close();
  });

  test('Law 6 what arrived owns its bytes: a later handoff does not change them', async () => {
    const fd = openPattern('');
    await sendHandoff(path, token, Buffer.from('first'), fd);
    const first = await nextHandoff();
    await sendHandoff(path, Buffer.from('fedcba9876543210'), Buffer.from('other'), fd);
    const second = await nextHandoff();
    expect(first.token.equals(token)).toBe(true);
    expect(first.payload.toString()).toBe('first');
    expect(first.payload.buffer).not.toBe(second.payload.buffer);
    expect(first.payload.buffer.byteLength).toBe(5);
    closeSync(fd);
  });
});

describe('across processes', () => {
  test('a child passes a file that only it has opened', async () => {
    writeFileSync(folder.file('secret'), 'opened by the child');
    await using child = new Child(
      `const fd = linux.openDevice(process.argv[2], { readOnly: true });
       await linux.sendHandoff(process.argv[1], Buffer.from('0123456789abcdef'), Buffer.from('hi'), fd.number);
       fd.close();`,
      { args: [path, folder.file('secret')] },
    );
    const handoff = await nextHandoff();
    expect(handoff.peer.pid).toBe(child.process.pid);
    await child.ended();
    expect(readFileSync(handoff.fd.number, 'utf8')).toBe('opened by the child');
    handoff.fd.close();
  });

  test('a receiver that does nothing but wait for the promise goes on', async () => {
    await using child = new Child(
      `const handoff = await new Promise((onHandoff, onRefused) => {
         linux.HandoffListener.listen(process.argv[1], { allowedUid: process.getuid(), onHandoff, onRefused })
           .then(() => console.log('listening'));
       });
       console.log(String(handoff.payload));`,
      { args: [folder.file('child.sock')] },
    );
    expect(await child.line()).toBe('listening');
    await sendHandoff(folder.file('child.sock'), token, Buffer.from('awaited'), 0);
    expect(await child.line()).toBe('awaited');
  });

  test('what onHandoff throws is not lost', async () => {
    await using child = new Child(
      `process.on('uncaughtException', (error) => { console.log(error.message); process.exit(3); });
       await linux.HandoffListener.listen(process.argv[1], {
         allowedUid: process.getuid(),
         onHandoff() { throw new Error('thrown in onHandoff'); },
         onRefused() {},
       });
       console.log('listening');`,
      { args: [folder.file('child.sock')] },
    );
    expect(await child.line()).toBe('listening');
    await sendHandoff(folder.file('child.sock'), token, nothing, 0);
    expect(await child.line()).toBe('thrown in onHandoff');
    expect(await child.ended()).toBe(3);
  });

  test('an accepted TCP connection goes to another process, with what was read of it, and goes on there', async () => {
    await using child = new Child(
      `import net from 'node:net';
       const listener = await linux.HandoffListener.listen(process.argv[1], {
         allowedUid: process.getuid(),
         onHandoff({ payload, fd }) {
           const socket = new net.Socket({ fd: fd.release(), readable: true, writable: true });
           socket.write(payload);
           socket.pipe(socket);
         },
         onRefused: console.error,
       });
       console.log('listening');`,
      { args: [folder.file('child.sock')] },
    );
    expect(await child.line()).toBe('listening');

    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [Socket];
    const { fd } = (accepted as unknown as { _handle: { fd: number } })._handle;
    await sendHandoff(folder.file('child.sock'), token, Buffer.from('early '), fd);
    accepted.destroy();
    server.close();

    client.write('late');
    let echoed = '';
    for await (const chunk of client) {
      echoed += String(chunk);
      if (echoed.length >= 'early late'.length) break;
    }
    expect(echoed).toBe('early late');
  });

  test('Law 1 a descriptor under way outlives its sender', async () => {
    await using child = new Child(
      `const fd = linux.openDevice(process.argv[2], { readOnly: true });
       await linux.sendHandoff(process.argv[1], Buffer.from('0123456789abcdef'), Buffer.alloc(0), fd.number);
       process.kill(process.pid, 'SIGKILL');`,
      { args: [path, '/proc/self/exe'] },
    );
    await child.ended();
    const handoff = await nextHandoff();
    expect(fstatSync(handoff.fd.number).isFile()).toBe(true);
    handoff.fd.close();
  });
});

test('1,000 handoffs leak no descriptor and no thread', async () => {
  const fd = openPattern('');
  let received = 0;
  const own = folder.file('own.sock');
  const counting = await HandoffListener.listen(own, {
    allowedUid: process.getuid?.() ?? 0,
    onHandoff: (handoff) => {
      received += 1;
      handoff.fd.close();
    },
    onRefused: (reason) => refusals.push(reason),
  });
  const [fds, threads] = [openFdCount(), osThreadCount()];
  for (let batch = 0; batch < 100; batch += 1) {
    await Promise.all(Array.from({ length: 10 }, () => sendHandoff(own, token, nothing, fd)));
  }
  await expect.poll(() => received).toBe(1000);
  expect(openFdCount()).toBe(fds);
  expect(osThreadCount()).toBe(threads);
  expect(refusals).toEqual([]);
  await counting.close();
  closeSync(fd);
});

test('more senders at once than the kernel queues all get through', async () => {
  const fd = openPattern('');
  await Promise.all(Array.from({ length: 600 }, () => sendHandoff(path, token, nothing, fd)));
  await expect.poll(() => arrived.length).toBe(600);
  closeSync(fd);
});

describe('sending fails with HANDOFF_FAILED', () => {
  async function failure(sending: Promise<void>): Promise<HoldfastError> {
    const before = openFdCount();
    const error: unknown = await sending.catch((reason: unknown) => reason);
    expect(openFdCount()).toBeLessThanOrEqual(before);
    if (error instanceof HoldfastError) return error;
    throw new Error('it succeeded');
  }

  test('when nobody is there, naming path and errno', async () => {
    const absent = folder.file('absent.sock');
    const error = await failure(sendHandoff(absent, token, nothing, 0));
    expect(error.code).toBe('HANDOFF_FAILED');
    expect(error.metadata).toEqual({ path: absent, call: 'connect', errno: 'ENOENT' });
    expect(error.message).toContain(JSON.stringify(absent));
    expect(error.message).toContain('ENOENT');
  });

  test('when the path is too long for a socket', async () => {
    const error = await failure(sendHandoff(`/${'x'.repeat(107)}`, token, nothing, 0));
    expect(error.metadata['errno']).toBe('ENAMETOOLONG');
  });

  test('when the descriptor is not open', async () => {
    const error = await failure(sendHandoff(path, token, nothing, 1_000_000));
    expect(error.metadata['errno']).toBe('EBADF');
  });

  test('when nobody takes from a full queue, after a bounded time', async () => {
    await using child = new Child(
      `const listener = await linux.HandoffListener.listen(process.argv[1], {
         allowedUid: process.getuid(), onHandoff() {}, onRefused() {} });
       console.log('listening');`,
      { args: [folder.file('stopped.sock')] },
    );
    expect(await child.line()).toBe('listening');
    child.process.kill('SIGSTOP');
    const started = performance.now();
    const sent = Array.from({ length: 300 }, () =>
      sendHandoff(folder.file('stopped.sock'), token, nothing, 0),
    );
    const failed = (await Promise.allSettled(sent)).filter((result) => result.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(300);
    for (const { reason } of failed) expect((reason as HoldfastError).metadata['errno']).toBe('EAGAIN');
    expect(performance.now() - started).toBeLessThan(4000);
  });

  test.each([
    ['a token of another length', Buffer.alloc(15), nothing],
    ['a payload beyond the limit', token, Buffer.alloc(HANDOFF_PAYLOAD_MAX + 1)],
  ])('but %s is a bug of the caller', async (_name, wrongToken, payload) => {
    await expect(sendHandoff(path, wrongToken, payload, 0)).rejects.toThrow('a handoff');
  });
});

describe('who may send', () => {
  const notRoot = process.getuid?.() !== 0;
  const NOBODY = 65_534;
  const script = `
    try {
      await linux.sendHandoff(process.argv[1], Buffer.from('0123456789abcdef'), Buffer.alloc(0), 0);
      console.log('sent');
    } catch (error) {
      console.log(error.metadata.errno);
    }`;

  test('Law 8 the socket has mode 0600, so another user cannot even connect', async (context) => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    if (notRoot) context.skip('needs root to become another user');
    chmodSync(folder.path, 0o711);
    await using child = new Child(script, { uid: NOBODY, args: [path] });
    expect(await child.line()).toBe('EACCES');
  });

  test('Law 8 a peer of another user is refused by its credentials, where the mode was widened', async (context) => {
    if (notRoot) context.skip('needs root to become another user');
    chmodSync(folder.path, 0o711);
    chmodSync(path, 0o666);
    const fds = openFdCount();
    await using child = new Child(script, { uid: NOBODY, args: [path] });
    await expect.poll(() => refusals, { timeout: 5000 }).toEqual([`user ${NOBODY} is not allowed`]);
    await child.ended();
    expect(arrived).toEqual([]);
    expect(openFdCount()).toBeLessThanOrEqual(fds + 3);
  });

  test('a peer of the allowed user is accepted', async (context) => {
    if (notRoot) context.skip('needs root to become another user');
    chmodSync(folder.path, 0o711);
    const open = await HandoffListener.listen(folder.file('nobody.sock'), {
      allowedUid: NOBODY,
      onHandoff: (handoff) => arrived.push(handoff),
      onRefused: (reason) => refusals.push(reason),
    });
    chmodSync(folder.file('nobody.sock'), 0o666);
    await using child = new Child(script, { uid: NOBODY, args: [folder.file('nobody.sock')] });
    expect(await child.line()).toBe('sent');
    const handoff = await nextHandoff();
    expect(handoff.peer.uid).toBe(NOBODY);
    handoff.fd.close();
    await open.close();
  });
});

test('an open file shares its flags with the receiver: blocking is the sender’s to decide', async () => {
  const [near, far] = socketPair();
  setBlocking(near.number, false);
  await sendHandoff(path, token, nothing, near.number);
  const { fd } = await nextHandoff();
  expect(readFileSync(`/proc/self/fdinfo/${fd.number}`, 'utf8')).toMatch(/^flags:\s*02004002$/m);
  for (const each of [near, far, fd]) each.close();
});
