import { execFileSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { registryV1 } from '@holdfast/contracts';
import { loopUnavailable } from '@holdfast/linux/testing/loop-device';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { makeLoop } from '../testing/loop-device.js';
import type { TestRegistry } from '../testing/registry.js';
import { IMAGE_BYTES, recordOf, startScene, type Scene } from '../testing/scene.js';
import { SIZE_POLL_MS } from './size-watch.js';

const NOTICED = { timeout: 3 * SIZE_POLL_MS };
const GROWN = 2 * IMAGE_BYTES;
const SHRUNK = IMAGE_BYTES / 2;

let scene: Scene;
let registry: TestRegistry;

async function changes(): Promise<string[]> {
  const records = await registry.store.audit.listAfter(0n, 100);
  return records.map(({ from, to, reason }) => `${from}>${to} ${reason}`);
}

const show = () => registry.devicesApi.getDevice({ name: 'devices/disk' });
const acquire = (session: string) =>
  registry.leasesApi.acquireLease({
    device: 'devices/disk',
    access: registryV1.Access.ACCESS_READ_WRITE,
    session: `sessions/${session}`,
    clientGroup: '',
  });

describe('a file that grows while it is attached', () => {
  beforeEach(async () => {
    ({ scene, registry } = await startScene('attached'));
  });

  test('is noticed by itself, recorded with the reason, and logged', async () => {
    const info = vi.spyOn(registry.logger, 'info');
    truncateSync(scene.image, GROWN);
    await expect.poll(async () => (await recordOf(registry, 'disk')).currentSizeBytes, NOTICED).toBe(GROWN);
    expect((await recordOf(registry, 'disk')).sizeBytes).toBe(IMAGE_BYTES);
    expect((await changes()).at(-1)).toBe(
      `CONNECTED>CONNECTED the device grew from ${String(IMAGE_BYTES)} to ${String(GROWN)} bytes`,
    );
    const facts = { device: 'disk', before: IMAGE_BYTES, now: GROWN };
    expect(info).toHaveBeenCalledWith(facts, expect.stringContaining('new sessions get the new size'));
  });

  test('N5 is told in its new size at once to whoever asks for it, and to whoever takes a lease', async () => {
    expect((await acquire('a')).sizeBytes).toBe(BigInt(IMAGE_BYTES));
    truncateSync(scene.image, GROWN);
    expect((await acquire('b')).sizeBytes).toBe(BigInt(GROWN));
    truncateSync(scene.image, 2 * GROWN);
    expect((await show()).attachment).toMatchObject({
      sizeBytes: BigInt(IMAGE_BYTES),
      currentSizeBytes: BigInt(2 * GROWN),
    });
  });

  test('is recorded once for each change', async () => {
    truncateSync(scene.image, GROWN);
    await Promise.all([show(), show(), acquire('a')]);
    await show();
    expect((await changes()).filter((change) => change.includes('grew'))).toHaveLength(1);
  });

  test('that shrinks is a warning', async () => {
    const warn = vi.spyOn(registry.logger, 'warn');
    truncateSync(scene.image, SHRUNK);
    expect((await show()).attachment?.currentSizeBytes).toBe(BigInt(SHRUNK));
    expect((await changes()).at(-1)).toContain('shrank from');
    expect(warn).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('shrank'));
  });

  test('keeps the size that was noted when the registry is another one, which notices what it missed', async () => {
    truncateSync(scene.image, GROWN);
    await show();
    await registry.die();
    truncateSync(scene.image, 2 * GROWN);
    registry = await scene.registry();
    expect((await recordOf(registry, 'disk')).currentSizeBytes).toBe(GROWN);
    expect((await acquire('a')).sizeBytes).toBe(BigInt(2 * GROWN));
  });

  test('and is detached is not looked at any more', async () => {
    await registry.attachments.detach('disk');
    truncateSync(scene.image, GROWN);
    expect((await show()).attachment?.currentSizeBytes).toBe(BigInt(IMAGE_BYTES));
    await registry.attachments.attach('disk');
    expect((await show()).attachment).toMatchObject({
      sizeBytes: BigInt(GROWN),
      currentSizeBytes: BigInt(GROWN),
    });
  });
});

describe.skipIf(loopUnavailable() !== undefined)(`a block device (${loopUnavailable() ?? 'real'})`, () => {
  test('that grows is noticed', async () => {
    ({ scene, registry } = await startScene('empty'));
    const device = makeLoop(scene.image);
    const backing = { kind: 'block' as const, path: device, expected: {} };
    await registry.store.devices.create({ id: 'disk', backing, readOnly: false, transient: false });
    await registry.attachments.attach('disk');
    truncateSync(scene.image, GROWN);
    expect((await show()).attachment?.currentSizeBytes).toBe(BigInt(IMAGE_BYTES));
    execFileSync('losetup', ['--set-capacity', device]);
    expect((await show()).attachment?.currentSizeBytes).toBe(BigInt(GROWN));
  });
});
