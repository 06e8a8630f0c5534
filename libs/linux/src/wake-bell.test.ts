import { expect, onTestFinished, test } from 'vitest';
import { openFdCount } from './process.js';
import { sendBytes } from './socket-calls.js';
import { NativeBuffer } from './native-buffer.js';
import { socketPair } from './sockets.js';
import { silenceBell, waitReadableUnlessRung, WakeBell } from './wake-bell.js';

function scene() {
  const [socket, peer] = socketPair();
  const bell = new WakeBell();
  onTestFinished(() => {
    for (const one of [socket, peer, bell]) one[Symbol.dispose]();
  });
  const send = () => {
    using byte = NativeBuffer.allocate(1);
    expect(sendBytes(peer.number, byte.address, 1, 0)).toBe(1);
  };
  return { socket, peer, bell, send };
}

test('a wait ends when something comes', () => {
  const { socket, bell, send } = scene();
  send();
  expect(waitReadableUnlessRung(socket.number, bell.number)).toBe(true);
});

test('a wait ends when the peer is gone', () => {
  const { socket, peer, bell } = scene();
  peer.close();
  expect(waitReadableUnlessRung(socket.number, bell.number)).toBe(true);
});

test('a bell that rings ends every wait until it is silenced, whatever has come', () => {
  const { socket, bell, send } = scene();
  bell.ring();
  bell.ring();
  send();
  expect(waitReadableUnlessRung(socket.number, bell.number)).toBe(false);
  expect(waitReadableUnlessRung(socket.number, bell.number)).toBe(false);
  silenceBell(bell.number);
  expect(waitReadableUnlessRung(socket.number, bell.number)).toBe(true);
});

test('a quiet bell may be silenced', () => {
  const { bell } = scene();
  silenceBell(bell.number);
});

test('a bell that is closed leaves no descriptor', () => {
  const before = openFdCount();
  new WakeBell().close();
  expect(openFdCount()).toBe(before);
});
