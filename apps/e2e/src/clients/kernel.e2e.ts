import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, start } from '../support/command.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { repository } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { isRoot, requirement } from '../support/requirements.js';

/** Boots a virtual machine whose kernel attaches to an NBD server here: `run.sh -p PORT -n EXPORT`. */
const script =
  process.env['HOLDFAST_KERNEL_NBD'] ?? path.resolve(repository, '../shared/tools/kernel-nbd/run.sh');
const needs = requirement({ root: isRoot, 'the script that HOLDFAST_KERNEL_NBD names': existsSync(script) });

/** The first run on a machine installs and downloads. */
const FIRST_RUN_MS = 300_000;

describe.skipIf(needs.missing)(`the kernel's own client ${needs.note}`, () => {
  it.each(engines)(
    'makes a file system, mounts it, writes, remounts, reads the same and finds it clean, $engine engine',
    async ({ env }) => {
      await using holdfast = await startHoldfast({ images: [makeImage(64 * MIB, { fill: 'empty' })], env });
      const { code, stdout } = await run('bash', [script, '-p', String(holdfast.port), '-n', 'disk.img'], {
        timeoutMs: FIRST_RUN_MS,
      });
      expect(stdout).toContain('data equal');
      expect(stdout).toContain('GUEST_RC=0');
      expect(code).toBe(0);
      expect(holdfast.stderr()).not.toMatch(/ended \(/);
    },
    FIRST_RUN_MS + 60_000,
  );

  it(
    'T13 the same over four connections at once',
    async () => {
      await using holdfast = await startHoldfast({ images: [makeImage(64 * MIB, { fill: 'empty' })] });
      const args = ['-p', String(holdfast.port), '-n', 'disk.img', '-x', '-C 4'];
      const guest = start('bash', [script, ...args], { timeoutMs: FIRST_RUN_MS });
      await eventually(
        'four sessions',
        async () => (await listSessions(holdfast)).length === 4,
        FIRST_RUN_MS,
      );
      const { code, stdout } = await guest.finished;
      expect(stdout).toContain('data equal');
      expect(code).toBe(0);
      expect(holdfast.stderr()).not.toMatch(/ended \(/);
    },
    FIRST_RUN_MS + 60_000,
  );
});
