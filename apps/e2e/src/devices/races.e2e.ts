import { existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { LoopDevice } from '@holdfast/linux/testing/loop-device';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { ask, getDevice, listLeases } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';
import { isRoot, requirement } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const { STATE_CONNECTED } = registryV1.Attachment_State;
const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });

const ROUNDS = 60;
const RECONNECTS = 100;

describe.skipIf(needs.missing)(`races for a device ${needs.note}`, () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
  });

  const devices = <T>(call: Parameters<typeof ask<typeof registryV1.DeviceServiceService, T>>[2]) =>
    ask(registryV1.DeviceServiceService, holdfast.layout.registrySocket, call);

  const attach = (id: string, expectedDiskseq?: string) =>
    devices((client) =>
      client.attachDevice({
        name: `devices/${id}`,
        ...(expectedDiskseq !== undefined && { expectedDiskseq }),
      }),
    );

  const detach = (id: string) =>
    devices((client) => client.detachDevice({ name: `devices/${id}`, drainTimeout: undefined, force: true }));

  async function add(id: string, ...options: readonly string[]): Promise<void> {
    for (const args of [
      ['device', 'add', id, ...options],
      ['export', 'add', id, '--device', id],
    ]) {
      expect(await holdfast.cli(...args)).toMatchObject({ code: 0 });
    }
  }

  /** The first bytes, as a client reads them. */
  async function bytesOf(id: string): Promise<Buffer> {
    const session = await NbdSession.open(holdfast, id);
    const { data } = await session.read(0, 512);
    session.hangUp();
    await eventually('its lease to end', async () => (await listLeases(holdfast)).length === 0);
    return data;
  }

  /** Attaches what somebody else changes all the time. @returns how often the right one was attached */
  async function raceFor(
    id: string,
    next: () => Promise<{ diskseq: string; bytes: Buffer }>,
  ): Promise<{ attached: number; refused: number }> {
    const outcomes = { attached: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const meant = await next();
      try {
        await attach(id, meant.diskseq);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        // Refused by its identity, or nothing was there in that moment; never served all the same.
        expect([
          'DEVICE_IDENTITY_MISMATCH',
          'DEVICE_OPEN_FAILED',
          'DEVICE_UNSUITABLE',
          'DEVICE_LOCKED',
        ]).toContain(error.code);
        outcomes.refused++;
        continue;
      }
      expect((await getDevice(holdfast, id)).attachment?.identity?.diskseq).toBe(meant.diskseq);
      expect(await bytesOf(id)).toEqual(meant.bytes);
      outcomes.attached++;
      await detach(id);
    }
    return outcomes;
  }

  it('D8 a number that is given to another file between the read and the open is refused, or is the one read', async () => {
    const files = [makeImage(MIB, { name: 'a.img' }), makeImage(MIB, { name: 'b.img' })] as const;
    const { path: device } = new LoopDevice(files[0]);
    onTestFinished(() => void run('losetup', ['--detach', device]));
    await add('reused', '--kind', 'block', '--path', device);
    const over = new AbortController();
    const racing = (async () => {
      for (let turn = 1; !over.signal.aborted; turn++) {
        await run('losetup', ['--detach', device]);
        // Refused while it is held: then it goes with its last user, and is made again afterwards.
        await run('losetup', [device, files[turn % 2] ?? '']);
        await delay(Math.random() * 200);
      }
    })();
    const folder = `/sys/block/${path.basename(device)}`;
    const outcomes = await raceFor('reused', () => lookAt(folder));
    over.abort();
    await racing;
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.attached).toBeGreaterThan(0);
    process.stdout.write(`D8: ${JSON.stringify(outcomes)}\n`);
  });

  it('D9 a path that is pointed at another device meanwhile is refused, or is the one meant', async () => {
    using first = new LoopDevice(makeImage(MIB, { name: 'first.img' }));
    using second = new LoopDevice(makeImage(MIB, { name: 'second.img' }));
    const link = path.join(scratchFolder(), 'disk');
    symlinkSync(first.path, link);
    await add('swapped', '--kind', 'block', '--path', link);
    const over = new AbortController();
    const racing = (async () => {
      for (let turn = 1; !over.signal.aborted; turn++) {
        symlinkSync(turn % 2 === 0 ? first.path : second.path, `${link}.next`);
        renameSync(`${link}.next`, link);
        await new Promise((wake) => setImmediate(wake));
      }
    })();
    const outcomes = await raceFor('swapped', () => lookAt(`/sys/block/${path.basename(first.path)}`));
    over.abort();
    await racing;
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.attached).toBeGreaterThan(0);
    process.stdout.write(`D9: ${JSON.stringify(outcomes)}\n`);
  });

  it(`D10 a client connects ${String(RECONNECTS)} times to one and the same loop device, which the registry holds`, async () => {
    const image = makeImage(MIB, { name: 'held.img' });
    await add('held', '--kind', 'loop', '--path', image);
    const { attachment } = await attach('held');
    for (let time = 0; time < RECONNECTS; time++) {
      const session = await NbdSession.open(holdfast, 'held', time % 2 === 0 ? 'tcp' : 'unix');
      expect((await session.read(0, 512)).data).toEqual(readFileSync(image).subarray(0, 512));
      session.hangUp();
    }
    const after = (await getDevice(holdfast, 'held')).attachment;
    expect(after?.identity).toEqual(attachment?.identity);
    expect(after?.state).toBe(STATE_CONNECTED);
    await detach('held');
  });

  it('D10 a loop device that nobody holds is gone at the second connect, and that is what the caller hears', async () => {
    const device = new LoopDevice(makeImage(MIB, { name: 'let-go.img' }));
    await add('let-go', '--kind', 'block', '--path', device.path);
    const { diskseq } = await lookAt(`/sys/block/${path.basename(device.path)}`);
    await attach('let-go', diskseq);
    expect((await bytesOf('let-go')).length).toBe(512);
    await detach('let-go');
    device[Symbol.dispose]();
    await expect(attach('let-go', diskseq)).rejects.toMatchObject({
      code: expect.stringMatching(/^DEVICE_(IDENTITY_MISMATCH|UNSUITABLE|OPEN_FAILED)$/) as string,
    });
  });
});

/** D4: diskseq and backing file, read until both belong together. */
async function lookAt(folder: string): Promise<{ diskseq: string; bytes: Buffer }> {
  return eventually('a device at rest', () => {
    const before = read(`${folder}/diskseq`);
    const file = read(`${folder}/loop/backing_file`);
    if (before === '' || file === '' || before !== read(`${folder}/diskseq`)) return undefined;
    return { diskseq: BigInt(before).toString(16), bytes: readFileSync(file).subarray(0, 512) };
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
