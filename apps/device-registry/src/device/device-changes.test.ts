import type { registryV1 } from '@holdfast/contracts';
import { beforeEach, expect, test } from 'vitest';
import type { TestRegistry } from '../testing/registry.js';
import { startScene, type Scene } from '../testing/scene.js';

let scene: Scene;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, registry } = await startScene('registered'));
});

function watch(request: Partial<registryV1.WatchDevicesRequest> = {}) {
  const changes: registryV1.DeviceChange[] = [];
  const subscription = registry.devicesApi
    .watchDevices({ name: '', resumeToken: '', ...request })
    .subscribe((change) => changes.push(change));
  return {
    changes,
    stop: () => {
      subscription.unsubscribe();
    },
  };
}
const told = (changes: readonly registryV1.DeviceChange[]) => changes.map(({ from, to }) => `${from}>${to}`);

test('a watcher is told each change as it happens, with who and why', async () => {
  const { changes, stop } = watch();
  // From now on: it has to have asked where that is.
  await expect.poll(() => registry.store.audit.range()).toBeDefined();
  await registry.devicesApi.attachDevice({ name: 'devices/disk', expectedDiskseq: undefined });
  await expect.poll(() => told(changes)).toEqual(['>ATTACHING', 'ATTACHING>CONNECTED']);
  expect(changes[0]).toMatchObject({
    device: 'devices/disk',
    actor: 'operator',
    reason: 'attach was asked for',
    lease: '',
  });
  expect(changes[0]?.attachment).toMatch(/^devices\/disk\/attachments\//);
  stop();
});

test('a watcher goes on where it was, missing nothing and told nothing twice, also over a restart', async () => {
  const first = watch({ resumeToken: '0' });
  await registry.attachments.attach('disk');
  await expect.poll(() => told(first.changes)).toContain('ATTACHING>CONNECTED');
  first.stop();
  const { resumeToken = '' } = first.changes.at(-1) ?? {};
  await registry.attachments.detach('disk');
  await registry.die();
  registry = await scene.registry();
  const second = watch({ resumeToken });
  await expect.poll(() => told(second.changes)).toEqual(['CONNECTED>DETACHING', 'DETACHING>RELEASED']);
  second.stop();
});

test('a watcher of one device is told of no other', async () => {
  await scene.add(registry, 'other');
  const { changes, stop } = watch({ name: 'devices/other', resumeToken: '0' });
  await registry.attachments.attach('disk');
  await expect.poll(() => told(changes)).toEqual(['>REGISTERED']);
  stop();
});

test.each(['-1', 'x', '1'.repeat(19)])('a resume token of %j is refused', async (resumeToken) => {
  const failure = new Promise((resolve) => {
    registry.devicesApi.watchDevices({ name: '', resumeToken }).subscribe({ error: resolve });
  });
  expect(await failure).toMatchObject({ code: 'INVALID_ARGUMENT', metadata: { field: 'resume_token' } });
});
