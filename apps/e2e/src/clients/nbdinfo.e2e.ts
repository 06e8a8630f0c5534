import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const needs = requireCommands('nbdinfo');
const SIZE = 5 * MIB + 512;

/** Exit code of `nbdinfo --can`; no is 2. */
const YES = 0;

describe.skipIf(needs.missing)(`nbdinfo ${needs.note}`, () => {
  let holdfast: Holdfast;

  // The handshake is the gateway's: the worker's engines have no part in it.
  beforeAll(async () => {
    const folder = scratchFolder();
    const images = [makeImage(SIZE, { folder }), makeImage(MIB, { folder, name: 'other.img' })];
    holdfast = await startHoldfast({ images });
  });

  describe.each(transports)('over %s', (transport) => {
    it('tells the size', async () => {
      const { stdout } = await succeed('nbdinfo', ['--size', holdfast.uri(transport, 'disk.img')]);
      expect(stdout.trim()).toBe(String(SIZE));
    });

    it('N5 describes an export with what it can do and its block sizes', async () => {
      const { stdout } = await succeed('nbdinfo', ['--json', holdfast.uri(transport, 'disk.img')]);
      const { exports, ...connection } = JSON.parse(stdout) as { exports: unknown[] };
      expect(connection).toMatchObject({ protocol: 'newstyle-fixed', TLS: false });
      expect(exports).toHaveLength(1);
      expect(exports[0]).toMatchObject({
        'export-name': 'disk.img',
        'export-size': SIZE,
        is_read_only: false,
        can_flush: true,
        can_fua: true,
        can_multi_conn: true,
        can_trim: true,
        can_zero: true,
        can_df: true,
        can_cache: true,
        can_fast_zero: true,
        contexts: expect.arrayContaining(['base:allocation']) as string[],
        block_size_minimum: 1,
        block_size_preferred: 4096,
        block_size_maximum: 32 * MIB,
      });
    });

    it('N4 lists every export by name', async () => {
      const anywhere = holdfast.uri(transport, 'disk.img').replace('/disk.img', '/');
      const { stdout } = await succeed('nbdinfo', ['--list', '--json', anywhere]);
      const { exports } = JSON.parse(stdout) as {
        exports: { 'export-name': string; 'export-size': number }[];
      };
      expect(exports.map((one) => [one['export-name'], one['export-size']])).toEqual([
        ['disk.img', SIZE],
        ['other.img', MIB],
      ]);
    });

    it.each([
      'write',
      'flush',
      'fua',
      'trim',
      'zero',
      'fast-zero',
      'cache',
      'multi-conn',
      'df',
      'structured-reply',
    ])('is told that it can %s', async (what) => {
      const answer = await run('nbdinfo', ['--can', what, holdfast.uri(transport, 'disk.img')]);
      expect(answer.code).toBe(YES);
    });

    it('is told that an export does not exist', async () => {
      const uri = holdfast.uri(transport, 'disk.img').replace('disk.img', 'absent.img');
      const { code, stderr } = await run('nbdinfo', [uri]);
      expect(code).toBe(1);
      expect(stderr).toContain('absent.img');
    });
  });
});
