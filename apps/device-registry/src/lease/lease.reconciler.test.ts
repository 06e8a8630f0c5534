import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startScene, type Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';
import { LeaseReconciler } from './lease.reconciler.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('attached'));
});

afterEach(() => {
  vi.useRealTimers();
});

/** A lease whose session the worker serves, unless it is `unused`. */
async function lease(session: string, { unused = false } = {}): Promise<bigint> {
  const { number } = await registry.leases.acquire({ deviceId: 'disk', access: 'READ_ONLY', session });
  if (!unused) worker.liveLeases.push(number);
  return number;
}

const numbers = async (of = registry) => (await of.store.leases.listAll()).map(({ number }) => number);

async function reconnect(): Promise<void> {
  worker.breakStream();
  await registry.linked('down');
  await registry.linked('up');
}

describe('a gateway that has started', () => {
  test('Law 1 has unused leases of one before it released at once, and no others', async () => {
    const used = await lease('used');
    await lease('unused', { unused: true });
    expect(await registry.leasesApi.releaseUnusedLeases()).toEqual({ released: 1 });
    expect(await numbers()).toEqual([used]);
  });

  test('has none released while there is no worker to ask: its return settles them', async () => {
    const unused = await lease('unused', { unused: true });
    await worker.die();
    await registry.linked('down');
    expect(await registry.leasesApi.releaseUnusedLeases()).toEqual({ released: 0 });
    expect(await numbers()).toEqual([unused]);
  });
});

describe('leases of sessions that end', () => {
  test('Law 1 are released when the worker says so, and no others', async () => {
    const [first, second] = [await lease('one'), await lease('two')];
    worker.endSession(first);
    await expect.poll(() => numbers()).toEqual([second]);
  });

  test('are released in one transaction when they end together', async () => {
    const leases = await Promise.all(Array.from({ length: 20 }, (_, i) => lease(`session-${String(i)}`)));
    const release = vi.spyOn(registry.store.leases, 'release');
    for (const number of leases) worker.endSession(number);
    await expect.poll(() => numbers()).toEqual([]);
    expect(release.mock.calls.length).toBeLessThan(leases.length);
    expect(release.mock.calls.flatMap(([released]) => [...released])).toEqual(leases);
  });

  test('are tried again when the database refused', async () => {
    const number = await lease('one');
    const release = vi.spyOn(registry.store.leases, 'release').mockRejectedValueOnce(new Error('disk full'));
    worker.endSession(number);
    await expect.poll(() => release.mock.calls.length).toBe(1);
    expect(await numbers()).toEqual([number]);
    await expect.poll(() => numbers(), { timeout: 3_000 }).toEqual([]);
  });

  test('while the registry was away are released when it is back', async () => {
    const [first, second] = [await lease('one'), await lease('two')];
    await registry.die();
    worker.endSession(first);
    expect(await numbers(await scene.registry())).toEqual([second]);
  });
});

describe('when the worker is greeted', () => {
  test('Law 1 leases that its sessions live under stay', async () => {
    const leases = [await lease('one'), await lease('two')];
    await reconnect();
    expect(await numbers()).toEqual(leases);
  });

  test('Law 4 leases that no session uses are voided there, then released here', async () => {
    const [used, unused] = [await lease('one'), await lease('two', { unused: true })];
    worker.calls.length = 0;
    await reconnect();
    expect(worker.calls[0]).toBe(`reconcile ${String(unused)}`);
    expect(await numbers()).toEqual([used]);
  });

  test('Law 1 leases of another worker process are released: it is gone', async () => {
    await lease('one');
    await lease('two');
    await worker.die();
    await registry.linked('down');
    const next = await scene.worker();
    await registry.linked('up');
    expect(await numbers()).toEqual([]);
    expect(next.calls[0]).toMatch(/^reconcile /);
  });

  test('Law 1 leases are released only once the worker has answered', async () => {
    await lease('one', { unused: true });
    const seen: unknown[] = [];
    worker.before.reconcile = async () => seen.push((await numbers()).length);
    await reconnect();
    expect(seen).toEqual([1]);
    expect(await numbers()).toEqual([]);
  });

  test('no lease is granted until all are compared', async () => {
    worker.before.reconcile = () =>
      expect(lease('too-early')).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
    await reconnect();
    expect(await numbers()).toEqual([]);
    await lease('in-time');
  });
});

describe('a lease that nobody uses', () => {
  /** Half a minute passes, for the sweep and for the leases alike. */
  async function sweep(): Promise<void> {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    registry.leaseReconciler.stop();
    const sweeper = new LeaseReconciler(registry.store, registry.link, registry.logger);
    vi.setSystemTime(Date.now() + 31_000);
    const before = worker.calls.length;
    vi.advanceTimersByTime(30_000);
    await vi.waitUntil(() => worker.calls.length > before, { timeout: 5_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    sweeper.stop();
  }

  test('because its gateway died is voided and released after half a minute', async () => {
    const [unused, used] = [await lease('one', { unused: true }), await lease('two')];
    await sweep();
    expect(worker.calls.at(-1)).toBe(`reconcile ${String(used)}`);
    expect(await numbers()).toEqual([used]);
    expect(unused).toBeLessThan(used);
  });

  test('Law 1 and is young is left to its gateway', async () => {
    const old = await lease('old', { unused: true });
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 61_000);
    const young = await lease('young', { unused: true });
    vi.setSystemTime(Date.now() - 61_000 + 1);
    await sweep();
    expect(await numbers()).toEqual([young]);
    expect(worker.calls.at(-1)).toBe(`reconcile ${String(old)}`);
  });
});
