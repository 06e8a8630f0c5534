import { renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recordOf, startScene } from '../testing/scene.js';

/** A registry that died, with its worker, while the device was attached, and whose image is elsewhere now. */
async function afterCrashWithoutImage() {
  const { scene, worker, registry } = await startScene('attached');
  await registry.die();
  await worker.die();
  renameSync(scene.image, `${scene.image}.away`);
  return {
    scene,
    bringBack: () => {
      renameSync(`${scene.image}.away`, scene.image);
    },
  };
}

test('Law 2 a device that cannot be attached again is attached once it can be', async () => {
  const { scene, bringBack } = await afterCrashWithoutImage();
  await scene.worker();
  const registry = await scene.registry();
  await expect.poll(async () => (await recordOf(registry, 'disk')).state).toBe('FAILED');
  bringBack();
  await expect
    .poll(async () => (await recordOf(registry, 'disk')).state, { timeout: 5_000 })
    .toBe('CONNECTED');
});

test('is not attached behind the back of somebody who detached it meanwhile', async () => {
  const { scene, bringBack } = await afterCrashWithoutImage();
  await scene.worker();
  const registry = await scene.registry();
  await expect.poll(async () => (await recordOf(registry, 'disk')).state).toBe('FAILED');
  await registry.attachments.detach('disk');
  bringBack();
  await new Promise((wake) => setTimeout(wake, 1_200));
  expect((await recordOf(registry, 'disk')).state).toBe('FAILED');
});

test('an attach that somebody asked for and that failed is his to repeat', async () => {
  const { scene, registry } = await startScene('registered');
  renameSync(scene.image, `${scene.image}.away`);
  await expect(registry.attachments.attach('disk')).rejects.toMatchObject({ code: 'DEVICE_OPEN_FAILED' });
  renameSync(`${scene.image}.away`, scene.image);
  await new Promise((wake) => setTimeout(wake, 1_200));
  expect((await recordOf(registry, 'disk')).state).toBe('FAILED');
});
