import { PinShard, Variant } from '@holdfast/pin-ledger';
import { Command } from '@holdfast/nbd-protocol';
import { expect, test } from 'vitest';
import type { Assignment } from '../engine/engine.js';
import { EventLoopEngine } from '../engine/event-loop-engine.js';
import { WorkerScene } from '../testing/worker-scene.js';
import { Layer, SessionBuffer, Site } from './pin-sites.js';

/** Serves well, but forgets one pin. */
class ForgetfulEngine extends EventLoopEngine {
  override async serve(assignment: Assignment) {
    const reason = await super.serve(assignment);
    new PinShard(assignment.pins).acquire(
      Variant.pinned,
      Layer.engine,
      SessionBuffer.output,
      4096,
      Site['event-loop.read'],
    );
    return reason;
  }
}

test('E10 a session that ends with a pin left ends with an error, is logged with both sites, and keeps its device', async () => {
  const scene = await WorkerScene.start(new ForgetfulEngine());
  scene.expectedViolations = 1;
  const holding = await scene.hold();
  const { client } = await scene.serve('one', holding);
  expect((await client.ask({ type: Command.READ, offset: 0, length: 1 })).error).toBe(0);
  client.hangUp();
  await expect.poll(() => scene.endings).toEqual([{ name: 'sessions/one', reason: 'ledger-violation' }]);
  expect(scene.ledger.totals().violations.leak).toBe(1);
  expect(scene.ledger.violations()).toMatchObject([
    { kind: 'leak', acquireSite: Site['event-loop.read'], releaseSite: Site['session.end'], bytes: 4096 },
  ]);
  expect(() => {
    scene.holdings.release(holding.attachment);
  }).toThrow(
    expect.objectContaining({
      code: 'DEVICE_IN_USE',
      message: `${holding.attachment} has 1 pin of sessions that are over, never released`,
      metadata: { attachment: holding.attachment, pins: '1' },
    }) as Error,
  );
  expect(holding.fd.closed).toBe(false);
});

test('E10 a session that balances lets its device go', async () => {
  const scene = await WorkerScene.start();
  const holding = await scene.hold();
  const { client } = await scene.serve('one', holding);
  expect((await client.ask({ type: Command.READ, offset: 0, length: 1 })).error).toBe(0);
  client.hangUp();
  await expect.poll(() => scene.endings).toEqual([{ name: 'sessions/one', reason: 'end-of-stream' }]);
  scene.holdings.release(holding.attachment);
  expect(holding.fd.closed).toBe(true);
});
