import { Command } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { EngineScene } from '../testing/engine-scene.js';
import { requestBytes } from '../testing/nbd-client.js';
import { EventLoopEngine } from './event-loop-engine.js';
import { TURN_BYTES, TURN_REQUESTS } from './turn.js';

/** Turns that a request may wait for: to be received, to be read, and to be answered. */
const TURNS = 3;

const KIB = 1024;

/** Requests of a greedy session that are served while another session's request is, at most in twenty tries. */
async function servedMeanwhile(request: { readonly type: number; readonly length: number }): Promise<number> {
  const scene = new EngineScene(new EventLoopEngine());
  const greedy = scene.serve();
  const { client } = scene.serve();
  greedy.client.socket.on('data', () => undefined);
  greedy.client.socket.write(Buffer.alloc(28 * 8000, requestBytes({ offset: 0, ...request })));
  await client.ask({ type: Command.READ, offset: 0, length: 1 });
  let most = 0;
  for (let i = 0; i < 20; i++) {
    const before = greedy.control.counters.requests;
    await client.ask({ type: Command.READ, offset: 0, length: 1 });
    most = Math.max(most, greedy.control.counters.requests - before);
  }
  expect(most).toBeGreaterThan(0);
  return most;
}

describe('a session of the event loop that has much to do', () => {
  test.each([
    ['small reads', { type: Command.READ, length: 512 }, TURN_REQUESTS],
    ['reads that are as large as they may be at once', { type: Command.READ, length: 28 * KIB }, 10],
  ])('lets others have their turn between %s', async (_what, request, turn) => {
    expect(await servedMeanwhile(request)).toBeLessThanOrEqual(TURNS * turn);
  });

  test('has turns of ten reads of 28 KiB', () => {
    expect(Math.ceil(TURN_BYTES / (28 * KIB))).toBe(10);
  });
});
