import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { succeed } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { isRoot, requirement } from '../support/requirements.js';

const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });

interface ShownDevice {
  readonly attachment: {
    readonly state: string;
    readonly epoch: string;
    readonly verification: string;
    readonly identity: { readonly diskseq: string };
  };
}

describe.skipIf(needs.missing)(`a loop device ${needs.note}`, () => {
  let holdfast: Holdfast;
  let image: string;

  beforeAll(async () => {
    image = makeImage(16 * MIB, { name: 'loop.img' });
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    await holdfast.cli(
      'device',
      'add',
      'part',
      '--kind',
      'loop',
      '--path',
      image,
      '--offset',
      '1M',
      '--size',
      '8M',
    );
    await holdfast.cli('device', 'attach', 'part');
    await holdfast.cli('export', 'add', 'part', '--device', 'part');
  });

  function bound(): boolean {
    const files = execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], {
      encoding: 'utf8',
    });
    return files.includes(image);
  }

  async function shown(): Promise<ShownDevice['attachment']> {
    const { stdout } = await holdfast.cli('device', 'show', 'part', '--json');
    return (JSON.parse(stdout) as ShownDevice).attachment;
  }

  const uri = () => `nbd://127.0.0.1:${String(holdfast.port)}/part`;

  it('D8 is served from its offset on, with its size, and is verified', async () => {
    expect((await succeed('nbdinfo', ['--size', uri()])).stdout.trim()).toBe(String(8 * MIB));
    const copy = path.join(path.dirname(image), 'copy.raw');
    await succeed('nbdcopy', [uri(), copy]);
    expect(readFileSync(copy).equals(readFileSync(image).subarray(MIB, 9 * MIB))).toBe(true);
    expect(await shown()).toMatchObject({ state: 'STATE_CONNECTED', verification: 'VERIFICATION_VERIFIED' });
  });

  it('T13 what clients write is in its file', async () => {
    const fresh = path.join(path.dirname(image), 'fresh.raw');
    writeFileSync(fresh, randomBytes(8 * MIB));
    await succeed('nbdcopy', ['--flush', fresh, uri()]);
    expect(
      readFileSync(image)
        .subarray(MIB, 9 * MIB)
        .equals(readFileSync(fresh)),
    ).toBe(true);
  });

  it.each(['device-registry', 'io-worker'] as const)(
    'D7 D10 is the same device after kill -9 of %s, which gets it back from the other',
    async (service) => {
      const before = await shown();
      await holdfast.restarted(service, holdfast.kill(service));
      const after = await eventually('the device to be connected', async () => {
        const now = await shown().catch(() => undefined);
        return now?.state === 'STATE_CONNECTED' ? now : undefined;
      });
      expect(after.identity).toEqual(before.identity);
      expect(after.epoch).toBe(before.epoch);
      const session = await NbdSession.open(holdfast, 'part');
      expect((await session.read(0, 512)).error).toBe(0);
      session.hangUp();
    },
  );

  it('D7 D13 is made anew, with another identity, after kill -9 of registry and worker; nothing is left over', async () => {
    const before = await shown();
    const [registry, worker] = [holdfast.kill('device-registry'), holdfast.kill('io-worker')];
    await holdfast.restarted('device-registry', registry);
    await holdfast.restarted('io-worker', worker);
    const after = await eventually('the device to be attached anew', async () => {
      const now = await shown().catch(() => undefined);
      return now?.state === 'STATE_CONNECTED' && now.epoch !== before.epoch ? now : undefined;
    });
    expect(BigInt(`0x${after.identity.diskseq}`)).toBeGreaterThan(BigInt(`0x${before.identity.diskseq}`));
    const loops = execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], {
      encoding: 'utf8',
    });
    expect(loops.split('\n').filter((file) => file.trim() === image)).toHaveLength(1);
  });

  it('D12 D14 is gone after a detach', async () => {
    await eventually(
      'its sessions to end',
      async () => (await holdfast.cli('device', 'detach', 'part')).code === 0,
    );
    await eventually('the loop device to go', () => !bound());
  });

  it('D7 D14 is gone after everything was killed at once', async () => {
    expect((await holdfast.cli('device', 'attach', 'part')).code).toBe(0);
    expect(bound()).toBe(true);
    await holdfast.killEverything();
    await eventually('the loop device to go', () => !bound());
  });
});
