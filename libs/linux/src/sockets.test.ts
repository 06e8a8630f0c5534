import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Errno, SystemCallError } from './errno.js';
import { NativeBuffer } from './native-buffer.js';
import { MessageFlag, receive, sendBytes, ShutdownHow, shutdownSocket } from './socket-calls.js';
import {
  isUnixSocket,
  peerCredentials,
  setKeepAlive,
  setNoDelay,
  setReceiveBuffer,
  setSendBuffer,
} from './socket-options.js';
import { hasHungUp, isDisconnected, setBlocking, socketPair } from './sockets.js';

const memory = NativeBuffer.allocate(4096);
const O_NONBLOCK = 0o4000;

function statusFlags(fd: number): number {
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
  return Number.parseInt(flags, 8);
}

function fdOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

async function withTcp(run: (fd: number, peer: Socket) => void | Promise<void>): Promise<void> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  try {
    await run(fdOf(accepted), client);
  } finally {
    accepted.destroy();
    client.destroy();
    server.close();
  }
}

describe('the domain of a socket', () => {
  test('is told of a Unix socket, and of a TCP socket', async () => {
    const [a, b] = socketPair();
    expect(isUnixSocket(a.number)).toBe(true);
    a.close();
    b.close();
    await withTcp((fd) => {
      expect(isUnixSocket(fd)).toBe(false);
    });
  });
});

describe('peer credentials', () => {
  test('of a socket pair are our own', () => {
    const [a, b] = socketPair();
    expect(peerCredentials(a.number)).toEqual({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    a.close();
    b.close();
  });

  test('of a TCP peer are nobody’s, and above all not root’s', async () => {
    await withTcp((fd) => {
      expect(peerCredentials(fd)).toEqual({ pid: 0, uid: 2 ** 32 - 1, gid: 2 ** 32 - 1 });
    });
  });

  test('of what is no socket are an error', () => {
    const fd = openSync('/dev/null', 'r');
    expect(() => peerCredentials(fd)).toThrow(new SystemCallError('getsockopt', Errno.ENOTSOCK, fd));
    closeSync(fd);
  });
});

describe('blocking', () => {
  test('is set and cleared, and nothing else changes', () => {
    const [a, b] = socketPair();
    const before = statusFlags(a.number);
    setBlocking(a.number, false);
    expect(statusFlags(a.number)).toBe(before | O_NONBLOCK);
    expect(receive(a.number, memory.address, 1, MessageFlag.NONE)).toBe(-Errno.EAGAIN);
    setBlocking(a.number, false);
    setBlocking(a.number, true);
    expect(statusFlags(a.number)).toBe(before);
    a.close();
    b.close();
  });

  test('belongs to the open file: a duplicate sees it', () => {
    const [a, b] = socketPair();
    const duplicate = a.duplicate();
    setBlocking(a.number, false);
    expect(statusFlags(duplicate.number) & O_NONBLOCK).toBe(O_NONBLOCK);
    for (const fd of [a, b, duplicate]) fd.close();
  });

  test('of a descriptor that is not open is an error', () => {
    expect(() => {
      setBlocking(1_000_000, true);
    }).toThrow(new SystemCallError('fcntl', Errno.EBADF, 1_000_000));
  });
});

describe('options', () => {
  test('a socket pair does not survive an exec', () => {
    const [a, b] = socketPair();
    expect([statusFlags(a.number), statusFlags(b.number)].map((flags) => flags & 0o2000000)).toEqual([
      0o2000000, 0o2000000,
    ]);
    a.close();
    b.close();
  });

  test('buffers grow to what was asked, which the kernel doubles', () => {
    const [a, b] = socketPair();
    expect(setSendBuffer(a.number, 65_536)).toBe(131_072);
    expect(setReceiveBuffer(a.number, 32_768)).toBe(65_536);
    a.close();
    b.close();
  });

  test('root gets a send buffer beyond net.core.wmem_max', (context) => {
    if (process.getuid?.() !== 0) context.skip('needs CAP_NET_ADMIN');
    const [a, b] = socketPair();
    const beyond = Number(readFileSync('/proc/sys/net/core/wmem_max', 'utf8')) + 65_536;
    expect(setSendBuffer(a.number, beyond)).toBe(2 * beyond);
    a.close();
    b.close();
  });

  test('no-delay and keep-alive are taken by TCP', async () => {
    await withTcp((fd) => {
      setNoDelay(fd);
      setNoDelay(fd, false);
      setKeepAlive(fd, { idleS: 30, intervalS: 5, count: 3 });
    });
  });

  test('and refused by name elsewhere', () => {
    const [a, b] = socketPair();
    expect(() => {
      setNoDelay(a.number);
    }).toThrow(new SystemCallError('setsockopt', Errno.EOPNOTSUPP, a.number));
    expect(() => {
      setKeepAlive(a.number, { idleS: 1, intervalS: 1, count: 1 });
    }).toThrow(SystemCallError);
    a.close();
    b.close();
  });
});

describe('hanging up', () => {
  test('a live peer has not hung up, with or without bytes under way', () => {
    const [a, b] = socketPair();
    expect(hasHungUp(a.number)).toBe(false);
    sendBytes(b.number, memory.address, 10, MessageFlag.NONE);
    expect(hasHungUp(a.number)).toBe(false);
    a.close();
    b.close();
  });

  test('a peer that closed, or only finished sending, has', () => {
    const [a, b] = socketPair();
    shutdownSocket(b.number, ShutdownHow.WRITE);
    expect(hasHungUp(a.number)).toBe(true);
    expect(hasHungUp(b.number)).toBe(false);
    b.close();
    expect(hasHungUp(a.number)).toBe(true);
    a.close();
  });

  test('looking takes nothing: bytes sent before the end are still there', () => {
    const [a, b] = socketPair();
    sendBytes(b.number, memory.address, 10, MessageFlag.NONE);
    b.close();
    expect(hasHungUp(a.number)).toBe(true);
    expect(receive(a.number, memory.address, 100, MessageFlag.NONE)).toBe(10);
    a.close();
  });

  test('a peer that only finished sending can still be sent to, one that closed cannot', () => {
    const [a, b] = socketPair();
    shutdownSocket(b.number, ShutdownHow.WRITE);
    expect(isDisconnected(a.number)).toBe(false);
    b.close();
    expect(isDisconnected(a.number)).toBe(true);
    a.close();
  });

  test('a TCP peer that resets has, and cannot be sent to', async () => {
    await withTcp(async (fd, peer) => {
      expect([hasHungUp(fd), isDisconnected(fd)]).toEqual([false, false]);
      peer.resetAndDestroy();
      await expect.poll(() => [hasHungUp(fd), isDisconnected(fd)]).toEqual([true, true]);
    });
  });

  test('a descriptor that is not open is an error', () => {
    expect(() => hasHungUp(1_000_000)).toThrow(new SystemCallError('poll', Errno.EBADF, 1_000_000));
  });
});
