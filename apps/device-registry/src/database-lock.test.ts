import { openStore, type LockWatcher } from '@holdfast/store';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { recordOf, Scene } from './testing/scene.js';
import { TestRegistry } from './testing/registry.js';

let scene: Scene;

beforeEach(() => {
  scene = new Scene();
});

describe('a second registry on one database', () => {
  test('does not start, and says who has it; once that one is gone, the next does', async () => {
    await scene.worker();
    const first = await scene.registry();
    await expect(TestRegistry.create(scene.folder)).rejects.toMatchObject({
      code: 'DATABASE_LOCKED',
      message: expect.stringMatching(
        new RegExp(
          `/holdfast\\.db is in use by another device-registry: .*\\(pid ${String(process.pid)}\\); stop it`,
        ),
      ) as string,
    });
    await first.die();
    await scene.registry();
  });

  test('is no obstacle for a gateway, which shares the database', async () => {
    await scene.worker();
    await scene.registry();
    const shared = await openStore({ url: `file:${scene.layout.database}` });
    await shared.close();
  });
});

describe('a registry that lost its lock and has it back', () => {
  let registry: TestRegistry;
  let watcher: LockWatcher;

  beforeEach(async () => {
    await scene.worker();
    registry = await scene.idleRegistry();
    const watch = vi.spyOn(registry.store, 'watchLock');
    const ready = registry.ready();
    await registry.lifecycle.start();
    await ready;
    const [told] = watch.mock.calls[0] ?? [];
    if (told === undefined) throw new Error('the registry does not watch its lock');
    watcher = told;
    await scene.add(registry, 'disk');
    await registry.attachments.attach('disk');
  });

  async function regained(): Promise<void> {
    const ready = registry.ready();
    watcher.lost('the connection was closed');
    watcher.regained();
    expect(registry.link.state.kind, 'nothing is granted before the records are compared').toBe(
      'reconciling',
    );
    await ready;
  }

  test('leaves as it is what nobody changed', async () => {
    await regained();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 1n });
    expect(scene.openCount()).toBe(2);
  });

  test('Law 4 gives up what another one ended meanwhile, here and at the worker, and attaches anew', async () => {
    const other = await openStore({ url: `file:${scene.layout.database}` });
    onTestFinished(() => other.close());
    const { id } = await recordOf(registry, 'disk');
    await other.attachments.transition(id, 'CONNECTED', 'LOST');
    await regained();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 2n });
    expect(registry.holds.list().map((held) => held.id)).not.toContain(id);
    expect(scene.openCount()).toBe(2);
  });
});
