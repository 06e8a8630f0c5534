import { closeSync, openSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checked } from '../errno.js';
import { NativeBuffer } from '../native-buffer.js';
import type { OwnedFd } from '../owned-fd.js';
import { openFdCount } from '../process.js';
import { hasHungUp } from '../sockets.js';
import { Child } from '../testing/child.js';
import { TestFolder } from '../testing/folder.js';
import { HandoffListener, type Handoff } from './handoff-listener.js';
import {
  HANDOFF_PAYLOAD_MAX,
  HANDOFF_TOKEN_BYTES,
  SILENT_PEER_TIMEOUT_MS,
  SILENT_PEERS_MAX,
} from './limits.js';
import { MessageFrame } from './message-frame.js';
import { sendHandoff } from './send-handoff.js';
import { connectTo, openSeqpacket, sendMessage } from './unix-socket.js';

let folder: TestFolder;
let listener: HandoffListener;
let refusals: string[];
let arrived: Handoff[];
let fdsBefore: number;

beforeEach(async () => {
  folder = new TestFolder();
  refusals = [];
  arrived = [];
  listener = await HandoffListener.listen(folder.file('handoff.sock'), {
    allowedUid: process.getuid?.() ?? 0,
    onHandoff: (handoff) => arrived.push(handoff),
    onRefused: (reason) => refusals.push(reason),
  });
  fdsBefore = openFdCount();
});

afterEach(async () => {
  await listener.close();
  folder[Symbol.dispose]();
});

function connectPeer(): OwnedFd {
  const peer = openSeqpacket();
  checked('connect', connectTo(peer.number, listener.path));
  return peer;
}

function sendRaw(peer: OwnedFd, length: number, descriptors: readonly number[]): void {
  using message = NativeBuffer.allocate(Math.max(length, 1));
  const frame = new MessageFrame();
  frame.fillToSend(message.address, length, descriptors);
  checked('sendmsg', sendMessage(peer.number, frame));
}

describe('Law 5 a message is refused, and what came with it closed,', () => {
  test.each([
    ['with no descriptor', HANDOFF_TOKEN_BYTES, 0, '0 descriptors instead of one'],
    ['with two descriptors', HANDOFF_TOKEN_BYTES, 2, '2 descriptors instead of one'],
    ['with as many as one message takes', HANDOFF_TOKEN_BYTES, 253, '253 descriptors instead of one'],
    ['with half a token', 8, 1, 'a token of 8 bytes'],
    ['with no byte but a descriptor', 0, 1, 'a token of 0 bytes'],
    [
      'longer than the limit',
      HANDOFF_TOKEN_BYTES + HANDOFF_PAYLOAD_MAX + 1,
      1,
      `a message longer than ${HANDOFF_TOKEN_BYTES + HANDOFF_PAYLOAD_MAX} bytes`,
    ],
  ])('%s', async (_name, length, count, reason) => {
    const fd = openSync('/dev/null', 'r');
    const peer = connectPeer();
    sendRaw(peer, length, new Array<number>(count).fill(fd));
    await expect.poll(() => refusals).toEqual([reason]);
    expect(hasHungUp(peer.number)).toBe(true);
    peer.close();
    closeSync(fd);
    expect(openFdCount()).toBe(fdsBefore);
    expect(arrived).toEqual([]);
  });

  test('when the peer closes without one', async () => {
    connectPeer().close();
    await expect.poll(() => refusals).toEqual(['closed without a message']);
    expect(openFdCount()).toBe(fdsBefore);
  });
});

describe('silent peers', () => {
  test('one that sends later, in time, is heard; only its first message counts', async () => {
    const fd = openSync('/dev/null', 'r');
    const peer = connectPeer();
    await new Promise((resolve) => setTimeout(resolve, 50));
    sendRaw(peer, HANDOFF_TOKEN_BYTES, [fd]);
    sendRaw(peer, HANDOFF_TOKEN_BYTES, [fd]);
    await expect.poll(() => arrived.length).toBe(1);
    await expect.poll(() => hasHungUp(peer.number)).toBe(true);
    arrived[0]?.fd.close();
    peer.close();
    closeSync(fd);
    expect(openFdCount()).toBe(fdsBefore);
    expect(refusals).toEqual([]);
  });

  test(
    'are turned away after a while, and the listener goes on',
    async () => {
      const peer = connectPeer();
      await expect
        .poll(() => refusals, { timeout: SILENT_PEER_TIMEOUT_MS + 2000 })
        .toEqual([`silent for ${SILENT_PEER_TIMEOUT_MS} ms`]);
      expect(hasHungUp(peer.number)).toBe(true);
      peer.close();
      expect(openFdCount()).toBe(fdsBefore);
    },
    SILENT_PEER_TIMEOUT_MS + 5000,
  );

  test('are bounded: the oldest makes room, and an honest sender is served meanwhile', async () => {
    const peers: OwnedFd[] = [];
    for (let count = 0; count < SILENT_PEERS_MAX + 10; count += 1) {
      peers.push(connectPeer());
      // Each is accepted before the next comes, so that "oldest" means what it says.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await expect.poll(() => refusals.length).toBe(10);
    const gone = peers.map((peer) => hasHungUp(peer.number));
    expect(gone).toEqual(peers.map((_, index) => index < 10));
    // Both ends of each are ours: 74 here, 64 there.
    expect(openFdCount()).toBe(fdsBefore + 2 * SILENT_PEERS_MAX + 10);

    const fd = openSync('/dev/null', 'r');
    const honest = connectPeer();
    sendRaw(honest, HANDOFF_TOKEN_BYTES, [fd]);
    await expect.poll(() => arrived.length).toBe(1);
    arrived[0]?.fd.close();
    for (const peer of [...peers, honest]) peer.close();
    closeSync(fd);
    await expect.poll(openFdCount).toBe(fdsBefore);
  });
});

describe('a receiver without a free descriptor', () => {
  /** Fills the table of a child but for `free` places, and lets it listen; on SIGUSR2 it has room again. */
  const script = (free: number) => `
    import { openSync, closeSync } from 'node:fs';
    let refused = 0;
    await linux.HandoffListener.listen(process.argv[1], {
      allowedUid: process.getuid(),
      onHandoff({ payload, fd }) { fd.close(); console.log('arrived ' + payload + ', refused ' + refused); },
      onRefused(reason) { refused += 1; if (refused === 1) console.log(reason); },
    });
    const filling = [];
    // Whatever these two open for themselves they open before the table is full.
    process.on('SIGUSR2', () => { for (const fd of filling) closeSync(fd); });
    console.log('filling');
    try { for (;;) filling.push(openSync('/dev/null')); } catch {}
    for (let count = 0; count < ${free}; count += 1) closeSync(filling.pop());
    console.log('listening');`;

  test('waits without spinning, and takes what was queued once it has room', async () => {
    const path = folder.file('full.sock');
    await using child = new Child(script(0), { args: [path], openFilesMax: 100 });
    expect([await child.line(), await child.line()]).toEqual(['filling', 'listening']);
    await sendHandoff(path, Buffer.alloc(HANDOFF_TOKEN_BYTES), Buffer.from('queued'), 0);
    expect(await child.line()).toBe('accept4 failed: EMFILE');
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.process.kill('SIGUSR2');
    const [, refused] = /^arrived queued, refused (\d+)$/.exec(await child.line()) ?? [];
    expect(Number(refused)).toBeGreaterThan(0);
    expect(Number(refused)).toBeLessThan(15);
  });

  test('notices that what was passed did not get a number', async () => {
    const path = folder.file('full.sock');
    await using child = new Child(script(1), { args: [path], openFilesMax: 100 });
    expect([await child.line(), await child.line()]).toEqual(['filling', 'listening']);
    await sendHandoff(path, Buffer.alloc(HANDOFF_TOKEN_BYTES), Buffer.from('lost'), 0);
    expect(await child.line()).toBe('descriptors were lost on the way');
  });
});
