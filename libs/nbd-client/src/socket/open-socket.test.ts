import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../testing/scripted-server.js';
import { openSocket } from './open-socket.js';

/** A server that sends its parts, one after the other, to whoever connects. */
async function serverOf(...parts: readonly string[]): Promise<string> {
  const socketPath = path.join(temporaryFolder(), 'nbd.sock');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    void (async () => {
      for (const part of parts) {
        socket.write(part);
        await delay(20);
      }
      socket.end();
    })();
  }).listen(socketPath);
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  return socketPath;
}

test('what a server sends before anybody listens is not lost', async () => {
  const socket = await openSocket({ kind: 'unix', path: await serverOf('greeting') }, 1000);
  await delay(100);
  let received = '';
  socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
  socket.resume();
  await once(socket, 'end');
  expect(received).toBe('greeting');
});

test('what comes while it is paused waits until it is resumed', async () => {
  const socket = await openSocket({ kind: 'unix', path: await serverOf('first', 'second') }, 1000);
  let received = '';
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString();
    socket.pause();
  });
  socket.resume();
  await delay(150);
  expect(received).toBe('first');
  socket.resume();
  await delay(50);
  expect(received).toBe('firstsecond');
  socket.destroy();
});

test('A1 what it gives is lent: the next data comes in the same memory', async () => {
  const socket = await openSocket({ kind: 'unix', path: await serverOf('first', 'later') }, 1000);
  const kept: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => kept.push(bytes));
  socket.resume();
  await once(socket, 'end');
  expect(kept.map((bytes) => bytes.toString())).toEqual(['later', 'later']);
});
