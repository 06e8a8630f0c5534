import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { registryV1 } from '@holdfast/contracts';
import { loopUnavailable } from '@holdfast/linux/testing/loop-device';
import { openRaw } from '@holdfast/store/testing/raw-connection';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { makeLoop } from '../testing/loop-device.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';
import { IMAGE_BYTES, recordOf, startScene, type Scene } from '../testing/scene.js';

const { REATTACHMENT_AUTOMATIC, REATTACHMENT_MANUAL } = registryV1.Device_Reattachment;
const OTHER_BOOT = '11111111-2222-4333-8444-555555555555';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('empty'));
});

type Backing = NonNullable<registryV1.Device['backing']>;

const file = (location = scene.image): Backing => ({
  $case: 'file',
  value: { path: location, directIo: false },
});
const loop = (): Backing => ({
  $case: 'loop',
  value: registryV1.LoopBacking.fromPartial({ path: scene.image }),
});
const block = (location: string, diskseq = ''): Backing => ({
  $case: 'block',
  value: registryV1.BlockBacking.fromPartial({ path: location, diskseq }),
});

async function attach(
  backing: Backing,
  reattachment: registryV1.Device_Reattachment = REATTACHMENT_AUTOMATIC,
): Promise<void> {
  const device = { ...registryV1.Device.fromPartial({ reattachment }), backing };
  await registry.devicesApi.createDevice({ deviceId: 'disk', device });
  await registry.attachments.attach('disk');
}

async function die(): Promise<void> {
  await registry.die();
  await worker.die();
}

/** Everything that was recorded was recorded in another boot. */
async function startMachineAnew(): Promise<void> {
  await die();
  const raw = await openRaw(`file:${path.join(scene.folder, 'holdfast.db')}`);
  await raw.execute(`UPDATE "Attachment" SET "bootId" = '${OTHER_BOOT}',
    "liveIdentity" = CASE WHEN "liveIdentity" IS NULL THEN NULL ELSE '${OTHER_BOOT}/x' END`);
  const kernelBoot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  await raw.execute(`UPDATE "Device" SET "settings" = replace("settings", '${kernelBoot}', '${OTHER_BOOT}')`);
  await raw.close();
}

async function startBoth(): Promise<void> {
  worker = await scene.worker();
  registry = await scene.registry();
}

const diskseqOf = (device: string) =>
  BigInt(readFileSync(`/sys/block/${path.basename(device)}/diskseq`, 'utf8').trim()).toString(16);

const withheld = (why: string) => ({
  errorReason: 'REATTACHMENT_WITHHELD',
  errorMessage: expect.stringContaining(why) as string,
  epoch: 1n,
});

describe('D5 in another boot', () => {
  test('what was attached is LOST before the worker is asked for anything', async () => {
    await attach(file());
    await startMachineAnew();
    registry = await scene.idleRegistry();
    const warn = vi.spyOn(registry.logger, 'warn');
    await registry.lifecycle.start();
    expect((await recordOf(registry, 'disk')).state).toBe('LOST');
    const records = await registry.store.audit.listAfter(0n, 100);
    expect(records.at(-1)).toMatchObject({
      from: 'CONNECTED',
      to: 'LOST',
      actor: 'registry',
      reason: 'the machine was started anew',
    });
    expect(warn).toHaveBeenCalledWith({ devices: ['disk'] }, expect.stringContaining('started anew'));
  });

  test('a regular file is attached again, under a higher epoch', async () => {
    await attach(file());
    await startMachineAnew();
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'CONNECTED',
      epoch: 2n,
      errorReason: '',
    });
  });

  test('a device that is attached by hand only stays LOST, and says so', async () => {
    await attach(file(), REATTACHMENT_MANUAL);
    await startMachineAnew();
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'LOST', ...withheld('by hand only') });
    expect(worker.holdings.size).toBe(0);
    await registry.attachments.attach('disk');
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', errorReason: '' });
  });
});

describe('within one boot', () => {
  test('a device that is attached by hand only stays LOST when both died', async () => {
    await attach(file(), REATTACHMENT_MANUAL);
    await die();
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'LOST', ...withheld('by hand only') });
  });

  test('and it keeps its attachment when one of the two lives on', async () => {
    await attach(file(), REATTACHMENT_MANUAL);
    await registry.die();
    registry = await scene.registry();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 1n });
  });

  test('a device of another definition of this is another device', async () => {
    await attach(file(), REATTACHMENT_MANUAL);
    await expect(attach(file())).rejects.toMatchObject({ code: 'DEVICE_EXISTS' });
    await attach(file(), REATTACHMENT_MANUAL);
  });
});

const real = describe.skipIf(loopUnavailable() !== undefined);

real(`D5 in another boot, with loop devices (${loopUnavailable() ?? 'real'})`, () => {
  test('a loop device is made again of its file', async () => {
    await attach(loop());
    await startMachineAnew();
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 2n });
  });

  test.each([
    ['block', block],
    ['file', file],
  ])(
    'a block device known by its path alone, registered as %s, stays LOST until it is attached',
    async (_, of) => {
      await attach(of(makeLoop(scene.image)));
      await startMachineAnew();
      await startBoth();
      const lost = { state: 'LOST', ...withheld('its path alone says') };
      expect(await recordOf(registry, 'disk')).toMatchObject(lost);
      expect(worker.calls.filter((call) => call.startsWith('adopt'))).toEqual([]);
      // Another worker is no reason to think otherwise.
      await worker.die();
      await registry.linked('down');
      worker = await scene.worker();
      await registry.ready();
      expect(await recordOf(registry, 'disk')).toMatchObject(lost);
      await registry.attachments.attach('disk');
      expect(await recordOf(registry, 'disk')).toMatchObject({
        state: 'CONNECTED',
        epoch: 2n,
        errorReason: '',
      });
    },
  );

  test('one that was released in good order is not attached again either', async () => {
    await attach(block(makeLoop(scene.image)));
    await worker.die();
    await registry.linked('down');
    await registry.lifecycle.drain();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'RELEASED' });
    await startMachineAnew();
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'RELEASED',
      ...withheld('started anew'),
    });
  });

  test('one with a diskseq stays LOST, and is refused when it is attached by hand: the message says what to do', async () => {
    const device = makeLoop(scene.image);
    await attach(block(device, diskseqOf(device)));
    await startMachineAnew();
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'LOST',
      ...withheld('a diskseq of the boot before'),
    });
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject({
      code: 'DEVICE_IDENTITY_MISMATCH',
      message: expect.stringMatching(
        /remove the device, and add it with the diskseq that it has now/,
      ) as string,
    });
    expect(worker.holdings.size).toBe(0);
  });
});

real(`within one boot, with loop devices (${loopUnavailable() ?? 'real'})`, () => {
  test('a block device known by its path is attached again when it is the one that was lost', async () => {
    await attach(block(makeLoop(scene.image)));
    await die();
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 2n });
  });

  test('a block device that took the place of the one that was lost is not: which ones is said', async () => {
    const device = makeLoop(scene.image);
    await attach(block(device));
    const before = diskseqOf(device);
    await die();
    const other = path.join(scene.folder, 'other.img');
    writeFileSync(other, Buffer.alloc(IMAGE_BYTES));
    execFileSync('losetup', ['--detach', device]);
    await expect
      .poll(() => execFileSync('losetup', ['--list'], { encoding: 'utf8' }))
      .not.toContain(scene.image);
    execFileSync('losetup', [device, other]);
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'LOST',
      ...withheld(`diskseq ${diskseqOf(device)} now, and it was the block device`),
      identity: { diskseq: BigInt(`0x${before}`) },
    });
    expect(worker.holdings.size).toBe(0);
  });

  test('a path that leads nowhere leaves the device LOST, with the reason', async () => {
    const link = path.join(scene.folder, 'link');
    symlinkSync(makeLoop(scene.image), link);
    await attach(block(link));
    await die();
    rmSync(link);
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'LOST', ...withheld('ENOENT') });
  });

  test('a block device in the place of a regular file is not attached', async () => {
    await attach(file());
    await die();
    const moved = `${scene.image}.moved`;
    renameSync(scene.image, moved);
    symlinkSync(makeLoop(moved), scene.image);
    await startBoth();
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'FAILED',
      errorReason: 'REATTACHMENT_WITHHELD',
    });
    expect(worker.holdings.size).toBe(0);
  });
});
