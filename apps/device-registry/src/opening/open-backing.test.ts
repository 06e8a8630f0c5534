import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { registryV1 } from '@holdfast/contracts';
import { loopUnavailable } from '@holdfast/linux/testing/loop-device';
import { beforeEach, describe, expect, test } from 'vitest';
import { makeLoop } from '../testing/loop-device.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';
import { IMAGE_BYTES, startScene, type Scene } from '../testing/scene.js';

const { STATE_CONNECTED, STATE_FAILED } = registryV1.Attachment_State;
const { VERIFICATION_UNVERIFIED, VERIFICATION_VERIFIED } = registryV1.Attachment_Verification;
const KIB = 1024;

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('empty'));
});

type Backing = NonNullable<registryV1.Device['backing']>;

const loop = (change: Partial<registryV1.LoopBacking> = {}, location = scene.image): Backing => ({
  $case: 'loop',
  value: registryV1.LoopBacking.fromPartial({ path: location, ...change }),
});
const block = (location: string, change: Partial<registryV1.BlockBacking> = {}): Backing => ({
  $case: 'block',
  value: registryV1.BlockBacking.fromPartial({ path: location, ...change }),
});
const file = (location: string, directIo = false): Backing => ({
  $case: 'file',
  value: { path: location, directIo },
});

async function register(backing: Backing, readOnly = false): Promise<registryV1.Device> {
  const device = registryV1.Device.fromPartial({ readOnly });
  return registry.devicesApi.createDevice({ deviceId: 'disk', device: { ...device, backing } });
}
const attach = (expectedDiskseq?: string) =>
  registry.devicesApi.attachDevice({ name: 'devices/disk', expectedDiskseq });
const detach = () =>
  registry.devicesApi.detachDevice({ name: 'devices/disk', drainTimeout: undefined, force: false });
const show = () => registry.devicesApi.getDevice({ name: 'devices/disk' });

function boundFiles(): string {
  return execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], { encoding: 'utf8' });
}

const diskseqOf = (device: string) =>
  BigInt(readFileSync(`/sys/block/${path.basename(device)}/diskseq`, 'utf8').trim());

describe.skipIf(loopUnavailable() !== undefined)(`a loop device (${loopUnavailable() ?? 'real'})`, () => {
  test('D7 is made at attach, held by both, and gone after detach', async () => {
    expect(await register(loop())).toMatchObject({ backing: { $case: 'loop' } });
    expect(boundFiles()).not.toContain(scene.image);
    const { attachment } = await attach();
    expect(attachment).toMatchObject({
      state: STATE_CONNECTED,
      verification: VERIFICATION_VERIFIED,
      sizeBytes: BigInt(IMAGE_BYTES),
      identity: { major: 7, inode: 0n },
    });
    expect(boundFiles()).toContain(scene.image);
    expect(worker.holdings.size).toBe(1);
    await detach();
    await expect.poll(boundFiles).not.toContain(scene.image);
  });

  test('D10 lives on in the worker while the registry is away, and comes back to it', async () => {
    await register(loop());
    const before = await attach();
    await registry.die();
    expect(boundFiles()).toContain(scene.image);
    registry = await scene.registry();
    await registry.linked('up');
    expect((await show()).attachment).toMatchObject({
      state: STATE_CONNECTED,
      epoch: 1n,
      identity: before.attachment?.identity,
    });
    expect(registry.holds.size).toBe(1);
  });

  test('D7 is gone when registry and worker both died, and made anew with another identity', async () => {
    await register(loop());
    const before = await attach();
    await registry.die();
    await worker.die();
    await expect.poll(boundFiles).not.toContain(scene.image);
    worker = await scene.worker();
    registry = await scene.registry();
    await expect.poll(async () => (await show()).attachment?.epoch, { timeout: 5000 }).toBe(2n);
    await expect.poll(async () => (await show()).attachment?.state).toBe(STATE_CONNECTED);
    const { identity } = (await show()).attachment ?? {};
    expect(BigInt(`0x${identity?.diskseq ?? ''}`)).toBeGreaterThan(
      BigInt(`0x${before.attachment?.identity?.diskseq ?? ''}`),
    );
  });

  test('takes offset, size and block size; a setting that cannot be is refused and nothing stays', async () => {
    await register(loop({ offset: 4096n, sizeLimit: BigInt(64 * KIB), blockSize: 4096 }), true);
    expect((await attach()).attachment?.sizeBytes).toBe(BigInt(64 * KIB));
    await registry.devicesApi.deleteDevice({ name: 'devices/disk' });
    await expect.poll(boundFiles).not.toContain(scene.image);
    truncateSync(scene.image, IMAGE_BYTES + 100);
    await register(loop());
    await expect(attach()).rejects.toMatchObject({ code: 'LOOP_SETTING_REFUSED' });
    expect((await show()).attachment).toMatchObject({
      state: STATE_FAILED,
      errorReason: 'LOOP_SETTING_REFUSED',
    });
    await expect.poll(boundFiles).not.toContain(scene.image);
  });

  test('keeps other programs off its file', async () => {
    await register(loop());
    await attach();
    await registry.devicesApi.createDevice({
      deviceId: 'again',
      device: registryV1.Device.fromPartial({ backing: file(scene.image) }),
    });
    await expect(registry.devicesApi.attachDevice({ name: 'devices/again' })).rejects.toMatchObject({
      code: 'DEVICE_LOCKED',
    });
  });

  test('is not made of a block device', async () => {
    await register(loop({}, makeLoop(scene.image)));
    await expect(attach()).rejects.toMatchObject({ code: 'DEVICE_UNSUITABLE' });
  });
});

describe.skipIf(loopUnavailable() !== undefined)(`a block device (${loopUnavailable() ?? 'real'})`, () => {
  test('D1 with the diskseq expected is attached, and verified', async () => {
    const device = makeLoop(scene.image);
    await register(
      block(device, { diskseq: diskseqOf(device).toString(16).padStart(16, '0').toUpperCase() }),
    );
    expect((await attach()).attachment).toMatchObject({
      state: STATE_CONNECTED,
      verification: VERIFICATION_VERIFIED,
    });
  });

  test('D1 with another diskseq is refused: it says which, and nothing is held', async () => {
    const device = makeLoop(scene.image);
    const other = (diskseqOf(device) + 1n).toString(16);
    await register(block(device, { diskseq: other }));
    await expect(attach()).rejects.toMatchObject({
      code: 'DEVICE_IDENTITY_MISMATCH',
      message: expect.stringContaining(`diskseq ${diskseqOf(device).toString(16)}, not ${other}`) as string,
    });
    expect(worker.holdings.size).toBe(0);
    expect(registry.holds.size).toBe(0);
    expect((await show()).attachment?.state).toBe(STATE_FAILED);
  });

  test.each([
    ['dmName', 'device-mapper name'],
    ['dmUuid', 'device-mapper UUID'],
    ['wwn', 'WWN'],
    ['serial', 'serial'],
  ])('D9 %s is compared: a device that has none is not the one meant', async (fact, name) => {
    await register(block(makeLoop(scene.image), { [fact]: 'x' }));
    await expect(attach()).rejects.toMatchObject({
      code: 'DEVICE_IDENTITY_MISMATCH',
      message: expect.stringContaining(`no ${name}, not x`) as string,
    });
  });

  test('D2 with nothing expected is attached, and visibly unverified', async () => {
    await register(block(makeLoop(scene.image)));
    expect((await attach()).attachment?.verification).toBe(VERIFICATION_UNVERIFIED);
  });

  test('D2 that is registered as a file is unverified too', async () => {
    await register(file(makeLoop(scene.image)));
    expect((await attach()).attachment?.verification).toBe(VERIFICATION_UNVERIFIED);
  });

  test('is none if it is a file', async () => {
    await register(block(scene.image));
    await expect(attach()).rejects.toMatchObject({ code: 'DEVICE_UNSUITABLE' });
  });

  test('D9 another file behind the same path is refused by its diskseq', async () => {
    const device = makeLoop(scene.image);
    await register(block(device, { diskseq: diskseqOf(device).toString(16) }));
    const other = path.join(scene.folder, 'other.img');
    writeFileSync(other, Buffer.alloc(IMAGE_BYTES));
    execFileSync('losetup', ['--detach', device]);
    await expect.poll(boundFiles).not.toContain(scene.image);
    execFileSync('losetup', [device, other]);
    await expect(attach()).rejects.toMatchObject({ code: 'DEVICE_IDENTITY_MISMATCH' });
  });
});

describe.skipIf(loopUnavailable() !== undefined)(
  `an expected diskseq (${loopUnavailable() ?? 'real'})`,
  () => {
    test('D1 that is equal attaches and verifies; another is refused before and after', async () => {
      const device = makeLoop(scene.image);
      const diskseq = diskseqOf(device).toString(16);
      await register(block(device));
      const refusal = { code: 'DEVICE_IDENTITY_MISMATCH' };
      await expect(attach('1')).rejects.toMatchObject(refusal);
      expect((await show()).attachment?.state).toBe(STATE_FAILED);
      // Nobody attaches it anew without the expectation.
      expect((await show()).wantedAttached).toBe(false);
      expect((await attach(diskseq)).attachment?.verification).toBe(VERIFICATION_VERIFIED);
      await expect(attach('1')).rejects.toMatchObject(refusal);
      expect((await attach(diskseq)).attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 2n });
      expect((await show()).wantedAttached).toBe(true);
    });
  },
);

test.each(['', '0x1f', '+1', '-1', ' 1', '1 ', '1g', '1'.repeat(17), '1\n'])(
  'D3 an expected diskseq of %j is malformed, and nothing is opened',
  async (text) => {
    await register(file(scene.image));
    await expect(attach(text)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      metadata: { field: 'expected_diskseq' },
    });
    expect((await show()).attachment).toBeUndefined();
  },
);

test('D3 a file has no diskseq: one that is expected is refused', async () => {
  await register(file(scene.image));
  await expect(attach('1f')).rejects.toMatchObject({
    code: 'DEVICE_IDENTITY_MISMATCH',
    message: expect.stringContaining('has no diskseq') as string,
  });
  expect((await attach()).attachment?.verification).toBe(VERIFICATION_VERIFIED);
});

test.each<[string, () => Backing]>([
  ['device.loop.block_size', () => loop({ blockSize: 700 })],
  ['device.loop.block_size', () => loop({ blockSize: 256 })],
  ['device.loop.block_size', () => loop({ blockSize: 131_072 })],
  ['device.loop.offset', () => loop({ offset: 2n ** 53n })],
  ['device.loop.size_limit', () => loop({ sizeLimit: 700n })],
  ['device.loop.path', () => loop({ path: 'relative' })],
  ['device.block.path', () => block('relative')],
  ['device.block.diskseq', () => block('/dev/sda', { diskseq: '0x1' })],
  ['device.block.serial', () => block('/dev/sda', { serial: 'x'.repeat(130) })],
])('Law 5 a bad %s is refused by its name (case %#)', async (field, backing) => {
  await expect(register(backing())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', metadata: { field } });
});

test('direct I/O is told of the device, and refused with what to do when its last block is not whole', async () => {
  await register(file(scene.image, true));
  expect(await show()).toMatchObject({ backing: { $case: 'file', value: { directIo: true } } });
  expect((await attach()).attachment?.state).toBe(STATE_CONNECTED);
  await detach();
  truncateSync(scene.image, IMAGE_BYTES + 100);
  await expect(attach()).rejects.toMatchObject({
    code: 'DIRECT_IO_UNSUPPORTED',
    message: expect.stringContaining('truncate --size=%') as string,
  });
  expect((await show()).attachment).toMatchObject({
    state: STATE_FAILED,
    errorReason: 'DIRECT_IO_UNSUPPORTED',
  });
  expect(registry.holds.size).toBe(0);
});
