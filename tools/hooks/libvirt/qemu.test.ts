import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHook } from '../testing/run-hook.js';

const script = path.join(import.meta.dirname, 'qemu');

/** Would fail if anything were called. */
const env = { HOLDFAST_CONFIG: '/nonexistent', HOLDFAST: '/nonexistent/holdfast' };

describe('the qemu hook of libvirt', () => {
  test.each([
    'prepare end',
    'start begin',
    'started begin',
    'stopped end',
    'migrate begin',
    'restore begin',
    'reconnect begin',
    'attach begin',
  ])('does nothing and prints nothing at "%s", and has read what libvirt wrote', async (operation) => {
    // More than a pipe holds: whoever writes it is not cut off.
    const xml = `<domain>${' '.repeat(1024 * 1024)}</domain>`;
    const outcome = await runHook(script, ['guest', ...operation.split(' '), '-'], { env, stdin: xml });
    expect(outcome).toEqual({ code: 0, stdout: '', stderr: '', stdinError: undefined });
  });

  test.each(['prepare begin', 'release end'])(
    'calls holdfast at "%s", and ends as that ends',
    async (operation) => {
      const { code, stdout } = await runHook(script, ['guest', ...operation.split(' '), '-'], {
        env: {
          ...env,
          HOLDFAST: '/bin/echo',
          HOLDFAST_STATE: '/s',
          HOLDFAST_RUN: '/r',
          HOLDFAST_DETACH_DEADLINE: '3',
        },
      });
      expect(code).toBe(0);
      expect(stdout).toBe(`hook libvirt --state /s --run /r/libvirt --deadline 3 -- guest ${operation} -\n`);
      expect((await runHook(script, ['guest', ...operation.split(' '), '-'], { env })).code).not.toBe(0);
    },
  );

  test('says how it is used when arguments are missing', async () => {
    const { code, stderr } = await runHook(script, ['guest', 'prepare'], { env });
    expect(code).toBe(64);
    expect(stderr).toContain('usage: qemu GUEST OPERATION');
  });
});
