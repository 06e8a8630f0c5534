import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import type { ExtentList } from '../extents/extent-list.js';
import { connectToMemory } from '../testing/connected.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { serveMemory, type MemoryExport } from '../testing/memory-export.js';
import { connectToScript } from '../testing/connected.js';
import { scriptedServer } from '../testing/scripted-server.js';
import { blockStatus, none, pattern } from '../testing/wire.js';
import { connect } from '../connect.js';
import { Loan } from './loan.js';
import { Owned } from './owned.js';
import { POISON, receivePoisoned } from './receive-memory.js';
import type { DataPiece } from '../transmission/replies/read-destination.js';

const SIZE = 1 << 20;
const POISONED = { poisonReceived: true, metaContexts: ['base:allocation'] };

/** Extents that tell by their flags which range they are of. */
function served(mode: 'structured' | 'extended', image = pattern(SIZE)): MemoryExport {
  return {
    mode,
    image,
    sizeBytes: SIZE,
    contexts: { 'base:allocation': 1 },
    extentsOf: (_context, offset, length) => [
      [length / 2n, offset / 512n],
      [length - length / 2n, offset / 512n + 1_000_000n],
    ],
  };
}

/** What the extents of a range must be. */
function extentsOf(offset: bigint, length: bigint) {
  return [
    { offset, length: length / 2n, flags: offset / 512n },
    { offset: offset + length / 2n, length: length - length / 2n, flags: offset / 512n + 1_000_000n },
  ];
}

for (const mode of ['structured', 'extended'] as const) {
  test(`A1 ${mode}: extents given to a callback may be kept, though the receive buffer is poisoned at once`, async () => {
    const connection = await connectToMemory(served(mode), POISONED);
    const kept: ExtentList[] = [];
    await new Promise<void>((resolve) => {
      connection.blockStatusWith(
        512,
        4096,
        new Owned({ extents: (_context, extents) => kept.push(extents), release: () => undefined }),
        new Owned({
          completed: () => {
            resolve();
          },
          release: () => undefined,
        }),
      );
    });
    await connection.read(0, 65_536);
    expect(kept.map((extents) => [...extents])).toEqual([extentsOf(512n, 4096n)]);
  });

  test(`A2 ${mode}: the first of two answers back to back survives the second`, async () => {
    const connection = await connectToScript(
      { ...served(mode) },
      async (peer) => {
        const first = await peer.readRequest();
        const second = await peer.readRequest();
        const framings = [first, second].map(({ cookie, offset }) => ({
          extended: mode === 'extended',
          cookie,
          offset,
        }));
        // In one piece, so that both are read in the same memory.
        peer.write(
          ...framings.flatMap((framing, index) => [
            blockStatus(framing, 1, [[512, index + 1]]),
            none(framing),
          ]),
        );
        await peer.closed();
      },
      POISONED,
    );
    const answers = await Promise.all([connection.blockStatus(0, 512), connection.blockStatus(512, 512)]);
    expect(answers.map(([one]) => one && [...one.extents])).toEqual([
      [{ offset: 0n, length: 512n, flags: 1n }],
      [{ offset: 512n, length: 512n, flags: 2n }],
    ]);
  });

  test(`A3 ${mode}: eight connections with reused and poisoned buffers, mixed requests: nothing is mixed up`, async () => {
    const image = pattern(SIZE);
    const server = await scriptedServer((peer) => serveMemory(peer, served(mode, image)));
    const connections = await Promise.all(Array.from({ length: 8 }, () => connect(server.uri, POISONED)));
    const results = await Promise.all(
      connections.flatMap((connection, who) =>
        Array.from({ length: 40 }, async (_, index) => {
          const offset = ((who * 40 + index) * 2048) % (SIZE - 8192);
          const [status] = await connection.blockStatus(offset, 4096);
          const data = await connection.read(offset, 8192);
          return { offset, extents: status?.extents, data };
        }),
      ),
    );
    // Only now: everything was kept while all the others came in.
    for (const { offset, extents, data } of results) {
      expect([...(extents ?? [])]).toEqual(extentsOf(BigInt(offset), 4096n));
      expectBytes(data, image.subarray(offset, offset + 8192));
    }
    for (const connection of connections) connection.destroy();
  });
}

test('A1 data that is read is the caller’s own memory, no slice of a pool or of a receive buffer', async () => {
  const connection = await connectToMemory(served('structured'));
  for (const length of [1, 16, 4096, 100_000]) {
    const data = await connection.read(0, length);
    expect([data.byteOffset, data.buffer.byteLength]).toEqual([0, length]);
  }
  await connection.readPieces(0, 100, (piece) => {
    if (piece.kind !== 'data') return;
    const copy = piece.copyData();
    expect([copy.byteOffset, copy.buffer.byteLength]).toEqual([0, piece.length]);
  });
});

test('A4 copies are copies: writing to one changes nothing else', async () => {
  const connection = await connectToMemory(served('extended'), POISONED);
  const [answer] = await connection.blockStatus(0, 4096);
  const copy = answer?.extents.copyDescriptors();
  copy?.fill(0n);
  expect([...(answer?.extents ?? [])]).toEqual(extentsOf(0n, 4096n));
});

test('A4 lent data throws after the call that lent it, and a copy stays', async () => {
  const connection = await connectToMemory(served('structured'), { poisonReceived: true });
  const pieces: DataPiece[] = [];
  const copies: Buffer[] = [];
  const views: Uint8Array[] = [];
  await connection.readPieces(0, 4096, (piece) => {
    if (piece.kind !== 'data') return;
    pieces.push(piece);
    copies.push(piece.copyData());
    views.push(piece.borrowData());
  });
  expectBytes(Buffer.concat(copies), pattern(SIZE).subarray(0, 4096));
  for (const piece of pieces) {
    expect(() => piece.borrowData()).toThrow('lent bytes are used before the call returns that lent them');
    expect(() => piece.copyData()).toThrow('lent bytes are used before the call returns that lent them');
  }
  // Who kept a view all the same finds poison there.
  expect(views.length).toBeGreaterThan(0);
  for (const view of views) expect(view.every((byte) => byte === POISON)).toBe(true);
});

test('A4 a loan ends once', () => {
  const loan = new Loan(Buffer.from('x'));
  expect(loan.borrow()).toEqual(Buffer.from('x'));
  loan.end();
  expect(() => loan.borrow()).toThrow();
});

test('A3 the poison comes even if the reader throws, and the memory is used again', () => {
  const receive = receivePoisoned();
  const lent: Uint8Array[] = [];
  expect(() => {
    receive(Buffer.from('first'), (bytes) => {
      lent.push(bytes);
      throw new Error('broken');
    });
  }).toThrow('broken');
  expect([...(lent[0] ?? [])]).toEqual([POISON, POISON, POISON, POISON, POISON]);
  receive(Buffer.from('2nd'), (bytes) => {
    lent.push(bytes);
    expect(Buffer.from(bytes).toString()).toBe('2nd');
  });
  expect(lent[1]?.buffer).toBe(lent[0]?.buffer);
});

test('B7 a place gives its value to one taker, and releases it at most once', () => {
  let released = 0;
  const release = () => {
    released += 1;
  };
  const kept = new Owned({ release });
  kept.release();
  kept.release();
  expect(released).toBe(1);
  const taken = new Owned({ release });
  taken.take();
  taken.release();
  expect([released, taken.isHeld]).toEqual([1, false]);
  expect(() => taken.take()).toThrow('a value is taken by one owner only');
});
