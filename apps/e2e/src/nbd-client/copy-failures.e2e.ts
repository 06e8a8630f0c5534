import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountingRights, smallDisk } from '../protocol/small-disk.js';
import { runHoldfast } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { requireCommands } from '../support/requirements.js';
import { copy, expectSameFile, failureOf, newPath, startCopy, toldBy, underWay } from './copy-scene.js';
import { newSocket, serveNbdkit, serveQemu } from './servers.js';

const needs = requireCommands('nbdkit', 'qemu-nbd');
const mounting = mountingRights();
const SIZE = 24 * MIB;

/** So slow that there is time to act in the middle. */
const SLOWLY = ['--filter=rate'];
const RATE = 'rate=40M';

describe.skipIf(needs.missing)(`a copy that does not come to its end ${needs.note}`, () => {
  it('goes on where it said after kill -9 of the source, and is equal then', async () => {
    const image = makeImage(SIZE);
    const socket = newSocket();
    const first = await serveNbdkit([...SLOWLY, 'file', image, RATE], { socket });
    const target = newPath();
    const copying = startCopy(first.uri, target);
    await underWay(copying);
    await first.kill();
    const { code, error, resumeFrom } = await failureOf(copying);
    expect(code).toBe(1);
    expect(error.code).toBe('NBD_CONNECTION_LOST');
    expect(error.message).toContain(`go on by --resume-from ${resumeFrom}`);
    expect(Number(resumeFrom)).toBeGreaterThan(0);
    expect(Number(resumeFrom)).toBeLessThan(SIZE);
    const safe = Number(resumeFrom);
    expect(readFileSync(target).subarray(0, safe).equals(readFileSync(image).subarray(0, safe))).toBe(true);

    const second = await serveNbdkit(['file', image], { socket: newSocket() });
    await copy(second.uri, target, '--resume-from', resumeFrom);
    await expectSameFile(target, image);
  });

  it('goes on where it said after kill -9 of the destination, and is equal then', async () => {
    const image = makeImage(SIZE, { fill: 'random' });
    const target = makeImage(SIZE, { fill: 'empty' });
    const first = await serveNbdkit([...SLOWLY, 'file', target, RATE]);
    const copying = startCopy(image, first.uri);
    await underWay(copying);
    await first.kill();
    const { code, resumeFrom } = await failureOf(copying);
    expect(code).toBe(1);

    const second = await serveNbdkit(['file', target]);
    await copy(image, second.uri, '--resume-from', resumeFrom);
    await expectSameFile(target, image);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'after %s says where to go on, and ends with 130',
    async (signal) => {
      const image = makeImage(SIZE);
      const { uri } = await serveNbdkit([...SLOWLY, 'file', image, RATE]);
      const target = newPath();
      const copying = startCopy(uri, target);
      await underWay(copying);
      copying.child.kill(signal);
      const { code, error, resumeFrom } = await failureOf(copying);
      expect(code).toBe(130);
      expect(error.code).toBe('COPY_INTERRUPTED');
      expect(Number(resumeFrom)).toBeGreaterThan(0);

      const whole = await serveNbdkit(['file', image]);
      await copy(whole.uri, target, '--resume-from', resumeFrom);
      await expectSameFile(target, image);
    },
  );

  it('tells a program how far it is, and never more than is true', async () => {
    const image = makeImage(SIZE);
    const { uri } = await serveNbdkit([...SLOWLY, 'file', image, RATE]);
    const copying = startCopy(uri, newPath());
    expect((await copying.finished).code).toBe(0);
    const told = toldBy(copying);
    expect(told.length).toBeGreaterThan(2);
    for (const { copied, resumeFrom, total } of told) {
      expect(resumeFrom).toBeLessThanOrEqual(copied);
      expect(total).toBe(SIZE);
    }
    expect(told.at(-1)).toMatchObject({ event: 'done', copied: SIZE, resumeFrom: SIZE });
  });

  it.each([
    ['pread', 'EIO', 'READ with EIO'],
    ['pwrite', 'ENOSPC', 'WRITE with ENOSPC'],
    ['pwrite', 'EPERM', 'WRITE with EPERM'],
    ['zero', 'EIO', 'WRITE_ZEROES with EIO'],
    ['extents', 'EIO', 'BLOCK_STATUS with EIO'],
  ])('does not pass over in silence that a server fails in %s', async (call, errno, words) => {
    const image = makeImage(SIZE, { fill: 'sparse' });
    const faults = [`error-${call}=${errno}`, `error-${call}-rate=100%`];
    const { uri } = await serveNbdkit(['--filter=error', 'file', image, ...faults]);
    const isSource = call === 'pread' || call === 'extents';
    const other = isSource ? newPath() : makeImage(SIZE, { fill: 'sparse' });
    const copying = isSource ? startCopy(uri, other) : startCopy(other, uri);
    const { code, error } = await failureOf(copying);
    expect(code).toBe(1);
    expect(error.code).toBe('NBD_REQUEST_FAILED');
    expect(error.message).toContain(`${uri}: the NBD server answered ${words}`);
  });

  it('does not claim success when only the last flush fails', async () => {
    const { uri } = await serveNbdkit([
      ...['eval', 'get_size=echo 1M', 'pwrite=cat >/dev/null', 'can_write=exit 0', 'pread=exit 1'],
      ...['can_flush=exit 0', 'flush=echo EIO the disk is gone >&2; exit 1'],
    ]);
    const { code, error, resumeFrom } = await failureOf(startCopy(makeImage(MIB), uri));
    expect({ code, resumeFrom }).toEqual({ code: 1, resumeFrom: '0' });
    expect(error.message).toContain('the NBD server answered FLUSH with EIO');
  });

  it('is not disturbed by a server that is slow', async () => {
    const image = makeImage(4 * MIB);
    const { uri } = await serveNbdkit(['--filter=delay', 'file', image, 'rdelay=100ms']);
    const target = newPath();
    await copy(uri, target);
    await expectSameFile(target, image);
  });

  it.skipIf(mounting.missing)(
    `says that the file system of the destination is full ${mounting.note}`,
    async () => {
      const folder = smallDisk(8 * MIB) ?? '';
      const image = makeImage(SIZE);
      const { uri } = await serveNbdkit(['file', image]);
      const { code, error } = await failureOf(startCopy(uri, path.join(folder, 'copy.img')));
      expect(code).toBe(1);
      expect(error.code).toBe('SYSTEM_CALL_FAILED');
      expect(error.message).toContain('write: ENOSPC, no space left on device; ');
    },
  );

  it('goes on with one connection where a server gives no more', async () => {
    const image = makeImage(2 * MIB);
    const { uri } = await serveQemu(['-e', '1', '-r', '-f', 'raw', image]);
    const target = newPath();
    const { code } = await runHoldfast(['nbd', 'copy', uri, target]);
    expect(code).toBe(0);
    await expectSameFile(target, image);
  });
});

describe.skipIf(needs.missing)(`a copy that is refused before anything is written ${needs.note}`, () => {
  async function refusal(...args: readonly string[]): Promise<string> {
    const { code, stderr } = await runHoldfast(['nbd', 'copy', ...args]);
    expect(code).toBe(1);
    return stderr;
  }

  it('to a destination that is smaller', async () => {
    const image = makeImage(2 * MIB);
    const small = makeImage(MIB);
    const before = await sha256(small);
    const { uri } = await serveNbdkit(['file', small]);
    expect(await refusal(image, uri)).toContain('choose a destination at least as large (COPY_REFUSED)');
    expect(await sha256(small)).toBe(before);
  });

  it('to an export that is read-only', async () => {
    const { uri } = await serveNbdkit(['-r', 'memory', '1M']);
    expect(await refusal(makeImage(MIB), uri)).toContain('is read-only');
  });

  it('to where it comes from, by one name or another', async () => {
    const image = makeImage(MIB);
    const before = await sha256(image);
    expect(await refusal(image, `${path.dirname(image)}/./disk.img`)).toContain(
      'are the same file (COPY_REFUSED)',
    );
    expect(await sha256(image)).toBe(before);
    await using holdfast = await startHoldfast({ images: [image] });
    const uri = holdfast.uri('tcp');
    expect(await refusal(uri, uri.replace('127.0.0.1', 'localhost'))).toContain('are the same export');
    expect(await refusal(uri, uri.replace('/disk.img', '/'))).toContain('are the same export');
  });

  it('to or from an image that somebody serves for writing', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    const before = statSync(image).size;
    expect(await refusal(makeImage(2 * MIB), image)).toContain('(DEVICE_LOCKED)');
    expect(await refusal(image, newPath())).toContain('(DEVICE_LOCKED)');
    expect(statSync(image).size).toBe(before);
    expect(holdfast.exports()).toHaveLength(1);
  });

  it('from a source whose end nobody can ask for', async () => {
    const image = makeImage(MIB + 1);
    const policy = ['blocksize-minimum=4096', 'blocksize-error-policy=error'];
    const { uri } = await serveNbdkit(['--filter=blocksize-policy', 'file', image, ...policy]);
    const target = makeImage(MIB);
    const before = await sha256(target);
    expect(await refusal(uri, target)).toContain('cannot be read');
    expect(await sha256(target)).toBe(before);
    const absent = newPath();
    expect(await refusal(uri, absent)).toContain('cannot be read');
    expect(existsSync(absent)).toBe(false);
  });

  it('to go on where nothing was begun, or beyond the end', async () => {
    const image = makeImage(MIB);
    const absent = newPath();
    expect(await refusal('--resume-from', '4096', image, absent)).toContain('nothing to resume');
    expect(existsSync(absent)).toBe(false);
    expect(await refusal('--resume-from', String(2 * MIB), image, makeImage(MIB))).toContain('is beyond');
  });

  it.each([
    ['--connections', '0'],
    ['--connections', '17'],
    ['--requests', 'x'],
    ['--resume-from', '-1'],
  ])('with %s %s, which is wrong usage', async (option, value) => {
    const { code } = await runHoldfast(['nbd', 'copy', option, value, 'a', 'b']);
    expect(code).toBe(64);
  });
});
