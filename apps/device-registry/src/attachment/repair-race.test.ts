import { beforeEach, describe, expect, test, vi } from 'vitest';
import { attachmentOf, recordOf, startScene, type Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;
let name: string;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('attached'));
  name = attachmentOf(await recordOf(registry, 'disk'));
});

/** A promise that somebody else resolves. */
function gate(): { passed: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

/** Another registry that begins, and waits for the worker to hand the device back, until `open`. */
async function duringReturn() {
  const { passed, open } = gate();
  await registry.die();
  worker.before.return = () => passed;
  const next = await scene.idleRegistry();
  await next.lifecycle.start();
  await vi.waitUntil(() => worker.calls.includes(`return ${name}`), { timeout: 5_000 });
  return { next, open };
}

describe('an operation and a repair of one device', () => {
  test('Law 2 a detach that loses its worker half way is repaired once it has ended', async () => {
    const { passed, open } = gate();
    const { attachments } = registry.store;
    const transition = attachments.transition.bind(attachments);
    // The database is slow to take the detach back, and the next worker comes meanwhile.
    vi.spyOn(attachments, 'transition').mockImplementationOnce(async (...change) => {
      await passed;
      return transition(...change);
    });
    worker.before.release = () => worker.die();
    const detach = registry.attachments.detach('disk');
    const outcome = expect(detach).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await registry.linked('down');
    const next = await scene.worker();
    await vi.waitUntil(() => next.calls.length > 0, { timeout: 5_000 });
    expect(registry.link.state.kind).toBe('reconciling');
    open();
    await outcome;
    await registry.linked('up');
    expect((await recordOf(registry, 'disk')).state).toBe('CONNECTED');
    expect([...next.holdings.keys()]).toEqual([name]);
  });

  test('Law 1 a detach does not come between a repair and the hold that it takes back', async () => {
    const { next, open } = await duringReturn();
    await expect(next.attachments.detach('disk')).rejects.toMatchObject({
      code: 'DEVICE_BUSY',
      message: 'a repair of device "disk" is under way',
    });
    open();
    await next.linked('up');
    await next.attachments.detach('disk');
    expect(scene.openCount()).toBe(0);
    expect(next.holds.size).toBe(0);
  });

  test('D10 two greetings of one worker in a row give the registry one hold', async () => {
    const { next, open } = await duringReturn();
    worker.breakStream();
    const reconciles = () => worker.calls.filter((call) => call.startsWith('reconcile')).length;
    const before = reconciles();
    await vi.waitUntil(() => reconciles() > before, { timeout: 5_000 });
    open();
    await next.linked('up');
    expect(next.holds.size).toBe(1);
    expect(scene.openCount()).toBe(2);
  });
});
