import { Buffer } from 'node:buffer';
import { EXTENTS_MAX } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { connectToScript } from '../testing/connected.js';
import { chunk, DONE } from '../testing/wire.js';

const CONTEXT = 'base:allocation';
const ID = 5;

/** Extents of one sector each, no two neighbours alike, as one chunk of a reply to the next request. */
function connectToAlternating(mode: 'structured' | 'extended', count: number) {
  const served = { mode, sizeBytes: 2n ** 40n, contexts: { [CONTEXT]: ID } };
  return connectToScript(
    served,
    async (peer) => {
      const { cookie, offset, extended } = await peer.readRequest();
      peer.write(chunk({ extended, cookie, offset }, extended ? 6 : 5, DONE, payload(extended, count)));
      await peer.closed();
    },
    { metaContexts: [CONTEXT], poisonReceived: true },
  );
}

function payload(extended: boolean, count: number): Buffer {
  const [head, each] = extended ? [8, 16] : [4, 8];
  const bytes = Buffer.alloc(head + each * count);
  bytes.writeUInt32BE(ID);
  for (let index = 0; index < count; index += 1) {
    // The lower halves of length and flags.
    const at = head + each * index + (extended ? 4 : 0);
    bytes.writeUInt32BE(512, at);
    bytes.writeUInt32BE(index % 2 === 0 ? 0 : 3, at + (extended ? 8 : 4));
  }
  return bytes;
}

describe.each(['structured', 'extended'] as const)('with %s replies', (mode) => {
  test.each([2 ** 19 + 1, EXTENTS_MAX])(
    'A5 a reply of %i extents comes whole through a real connection',
    async (count) => {
      const connection = await connectToAlternating(mode, count);
      const [answer, ...others] = await connection.blockStatus(0, 2 ** 30);
      expect(others).toEqual([]);
      expect(answer?.extents.count).toBe(count);
      expect(answer?.extents.totalLength).toBe(512n * BigInt(count));
      expect([0, 1, count - 2, count - 1].map((index) => answer?.extents.flagsOf(index))).toEqual([
        0n,
        3n,
        BigInt(3 * (count % 2)),
        BigInt(3 * ((count - 1) % 2)),
      ]);
    },
  );

  test('A5 A6 one more than a reply may carry is an error, never a truncation', async () => {
    const connection = await connectToAlternating(mode, EXTENTS_MAX + 1);
    await expect(connection.blockStatus(0, 2 ** 30)).rejects.toMatchObject({
      code: 'NBD_PROTOCOL_VIOLATION',
    });
  });
});
