import { execFileSync } from 'node:child_process';
import { constants, readdirSync, readFileSync, readlinkSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancedLedger } from '../support/balanced-ledger.js';
import { hasDirectIo } from '../support/direct-io.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { parseFioReport, requireFio, startFio } from '../support/fio.js';
import { launchHoldfast, startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases } from '../support/instance-facts.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';
import { hasCommand, requirement } from '../support/requirements.js';
import { SeededRandom } from '../support/seeded-random.js';
import { upgradeWorker } from '../upgrade/upgrade-worker.js';

const requireDirectIo = requirement({ 'a file system with direct I/O': hasDirectIo() });
const BYTES = 16 * MIB;

describe.skipIf(requireDirectIo.missing).each(engines)(
  `serve --direct-io, $engine engine ${requireDirectIo.note}`,
  ({ env }) => {
    let image: string;
    let holdfast: Holdfast;

    beforeAll(async () => {
      image = makeImage(BYTES);
      holdfast = await startHoldfast({ images: [image], args: ['--direct-io'], env });
    });
    afterAll(() => holdfast[Symbol.asyncDispose]());

    it('answers random requests, aligned or not, as a disk does', async () => {
      const random = new SeededRandom(7);
      const model = readFileSync(image);
      const one = await NbdSession.open(holdfast, 'disk.img', 'tcp');
      const other = await NbdSession.open(holdfast, 'disk.img', 'unix');
      for (let round = 0; round < 300; round++) {
        const session = random.chance(50) ? one : other;
        const unit = random.pick([1, 512, 4096]);
        const length = unit * (1 + random.int((random.chance(25) ? 600_000 : 9000) / unit));
        const offset = unit * random.int((BYTES - length) / unit);
        if (random.chance(50)) {
          const payload = Buffer.alloc(length, random.int(256));
          expect(await session.write(offset, payload, { fua: round % 5 === 0 })).toMatchObject({ error: 0 });
          payload.copy(model, offset);
        } else {
          const { error, data } = await session.read(offset, length);
          expect(error).toBe(0);
          expect(data.equals(model.subarray(offset, offset + length))).toBe(true);
        }
      }
      expect(await one.flush()).toMatchObject({ error: 0 });
      one.hangUp();
      other.hangUp();
      expect(readFileSync(image).equals(model)).toBe(true);
    });

    it.skipIf(requireFio.missing)(
      `fio verifies crc32c of random writes, 32 in flight on each of two connections ${requireFio.note}`,
      async () => {
        const load = { uri: holdfast.uri('unix'), connections: 2, bytesEach: 4 * MIB, blocks: '4k-64k' };
        const { code, stdout, stderr } = await startFio(load).finished;
        expect(code, stdout + stderr).toBe(0);
        for (const job of parseFioReport(stdout)) expect(job.error).toBe(0);
      },
    );

    it.skipIf(!hasCommand('fincore'))('leaves nothing of the image in the page cache', async () => {
      // This process has read it through the cache.
      execFileSync('dd', [`if=${image}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
      await eventually('the page cache to be empty', () => cachedPages(image) === 0);
      const session = await NbdSession.open(holdfast, 'disk.img');
      for (let at = 0; at < BYTES; at += MIB) await session.read(at, MIB);
      await session.write(100, Buffer.from('here'));
      session.hangUp();
      expect(cachedPages(image)).toBe(0);
    });

    it('stays so in the next worker, after kill -9 and after an upgrade, and balances at rest', async () => {
      expect(isDirect(holdfast.pidOf('io-worker'), image)).toBe(true);
      await holdfast.restarted('io-worker', holdfast.kill('io-worker'));
      (await openWhenServed(holdfast, 'disk.img')).hangUp();
      expect(isDirect(holdfast.pidOf('io-worker'), image)).toBe(true);
      const session = await NbdSession.open(holdfast, 'disk.img');
      expect(await session.write(1, Buffer.from('before'))).toMatchObject({ error: 0 });
      await upgradeWorker(holdfast);
      expect(await session.write(7, Buffer.from('after'))).toMatchObject({ error: 0 });
      expect((await session.read(1, 11)).data.toString()).toBe('beforeafter');
      expect(isDirect(holdfast.pidOf('io-worker'), image)).toBe(true);
      session.hangUp();
      await eventually('the leases to end', async () => (await listLeases(holdfast)).length === 0);
      await balancedLedger(holdfast);
    });
  },
);

describe.skipIf(requireDirectIo.missing)(`device add --direct-io ${requireDirectIo.note}`, () => {
  it('is shown, and attached past the page cache', async () => {
    const image = makeImage(MIB, { name: 'direct.img' });
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    const add = ['device', 'add', 'direct', '--path', image, '--direct-io'];
    expect(await holdfast.cli(...add)).toMatchObject({ code: 0 });
    expect(await holdfast.cli('device', 'attach', 'direct')).toMatchObject({ code: 0 });
    expect((await holdfast.cli('device', 'show', 'direct')).stdout).toMatch(/direct I\/O: +yes/);
    expect(isDirect(holdfast.pidOf('io-worker'), image)).toBe(true);
  });

  it('serve says what to do with an image whose last block is not whole', async () => {
    const image = makeImage(MIB);
    truncateSync(image, MIB + 100);
    await using holdfast = await launchHoldfast({ images: [image], args: ['--direct-io'] });
    expect(await holdfast.exited()).not.toBe(0);
    expect(holdfast.stderr()).toContain('truncate --size=%');
  });
});

/** Whether a process has a file open past the page cache (proc_pid_fdinfo(5)). */
function isDirect(pid: number, file: string): boolean {
  const folder = `/proc/${String(pid)}`;
  const fds = readdirSync(`${folder}/fd`).filter((fd) => linkOf(`${folder}/fd/${fd}`) === file);
  expect(fds.length).toBeGreaterThan(0);
  return fds.every((fd) => {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`${folder}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & constants.O_DIRECT) !== 0;
  });
}

function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

function cachedPages(file: string): number {
  return Number(execFileSync('fincore', ['--raw', '--noheadings', '--output', 'PAGES', file]).toString());
}
