import { describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { KERNEL_MACHINE_MS, needsKernelMachine, startKernelMachine } from '../support/kernel-machine.js';

describe.skipIf(needsKernelMachine.missing)(`the kernel's own client ${needsKernelMachine.note}`, () => {
  it.each(engines)(
    'makes a file system, mounts it, writes, remounts, reads the same and finds it clean, $engine engine',
    async ({ env }) => {
      await using holdfast = await startHoldfast({ images: [makeImage(64 * MIB, { fill: 'empty' })], env });
      const { code, stdout } = await startKernelMachine(['-p', String(holdfast.port), '-n', 'disk.img'])
        .finished;
      expect(stdout).toContain('data equal');
      expect(stdout).toContain('GUEST_RC=0');
      expect(code).toBe(0);
      expect(holdfast.stderr()).not.toMatch(/ended \(/);
    },
    KERNEL_MACHINE_MS + 60_000,
  );

  it(
    'T13 the same over four connections at once',
    async () => {
      await using holdfast = await startHoldfast({ images: [makeImage(64 * MIB, { fill: 'empty' })] });
      const args = ['-p', String(holdfast.port), '-n', 'disk.img', '-x', '-C 4'];
      const guest = startKernelMachine(args);
      await eventually(
        'four sessions',
        async () => (await listSessions(holdfast)).length === 4,
        KERNEL_MACHINE_MS,
      );
      const { code, stdout } = await guest.finished;
      expect(stdout).toContain('data equal');
      expect(code).toBe(0);
      expect(holdfast.stderr()).not.toMatch(/ended \(/);
    },
    KERNEL_MACHINE_MS + 60_000,
  );
});
