import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runLoadgen } from './loadgen.js';
import { loads } from './loads.js';
import { startDaemon, stopDaemon } from './processes.js';
import { answersOnUnix, missingProgram, ready, socketPath, urisOf } from './servers/start.js';
import type { Daemon, Load } from './types.js';

const missing =
  missingProgram('nbdkit', 'nbdkit') ??
  (spawnSync('cc', ['--version']).error === undefined ? undefined : 'no C compiler');

const read = theLoad('4k-read-qd16x4');
const write = theLoad('4k-write-qd64');

function theLoad(name: string): Load {
  const load = loads.find((one) => one.name === name);
  if (load === undefined) throw new Error(`no load ${name}`);
  return load;
}

describe.skipIf(missing !== undefined)(
  `loadgen against nbdkit${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let folder = '';
    let daemon: Daemon | undefined;

    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-test-'));
    });

    afterEach(async () => {
      if (daemon !== undefined) await stopDaemon(daemon);
      rmSync(folder, { recursive: true });
    });

    /** An nbdkit with these arguments, on a Unix socket; its URI. */
    async function serve(...args: string[]) {
      const place = { image: '', port: 0, folder };
      daemon = startDaemon('nbdkit', 'nbdkit', ['--foreground', `--unix=${socketPath(place)}`, ...args]);
      await ready(daemon, () => answersOnUnix(place));
      return urisOf(place).unix;
    }

    const structured = [read, write].map((load) => ({ ...load, replies: 'structured' as const }));
    it.each([read, write, ...structured])(
      'runs $name with $replies replies and accounts for it',
      async (load) => {
        const result = await runLoadgen(load, await serve('memory', '64M'), 0.2, 1);
        expect(result.requests).toBeGreaterThan(0);
        expect(result.bytes).toBe(result.requests * load.blockBytes);
        expect(result.iops).toBeCloseTo(result.requests / result.seconds, -1);
        expect(result.seconds).toBeGreaterThanOrEqual(0.2);
        expect(result.latencyUsP99).toBeGreaterThanOrEqual(result.latencyUsP50);
        expect(result.cpuUsPerRequest).toBeGreaterThan(0);
      },
    );

    it('ends with a sentence when a reply says error', async () => {
      const uri = await serve('--filter=error', 'memory', '64M', 'error-pread-rate=1%', 'error=EIO');
      await expect(runLoadgen(read, uri, 5, 1)).rejects.toThrow('a reply with NBD error 5');
    });

    it('ends with a sentence when the export is read-only and the load writes', async () => {
      const uri = await serve('--readonly', 'memory', '64M');
      await expect(runLoadgen(write, uri, 5, 1)).rejects.toThrow('the export is read-only');
    });
  },
);
