import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdConnections, runLoadgen } from './loadgen.js';
import { loads } from './loads.js';
import { startDaemon, stopDaemon } from './processes.js';
import { answersOnUnix, missingProgram, ready, socketPath, urisOf } from './servers/start.js';
import type { Daemon, Load } from './types.js';

const missing =
  missingProgram('nbdkit', 'nbdkit') ??
  (spawnSync('cc', ['--version']).error === undefined ? undefined : 'no C compiler');

const read = theLoad('4k-read-qd16x4');
const write = theLoad('4k-write-qd64');
const mix = theLoad('4k-mix-qd64');

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
      await stop();
      rmSync(folder, { recursive: true });
    });

    async function stop() {
      if (daemon !== undefined) await stopDaemon(daemon);
      rmSync(path.join(folder, 'nbd.sock'), { force: true });
    }

    /** An nbdkit with these arguments, on a Unix socket; its URI. */
    async function serve(...args: string[]) {
      const place = { image: '', port: 0, folder, mode: 'plain' as const };
      daemon = startDaemon('nbdkit', 'nbdkit', ['--foreground', `--unix=${socketPath(place)}`, ...args]);
      await ready(daemon, () => answersOnUnix(place));
      return urisOf(place).unix;
    }

    const structured = [read, write, mix].map((load) => ({ ...load, replies: 'structured' as const }));
    it.each([read, write, mix, ...structured])(
      'runs $name with $replies replies and accounts for it',
      async (load) => {
        const result = await runLoadgen(load, await serve('memory', '64M'), 0.2, 1);
        expect(result.requests).toBeGreaterThan(0);
        expect(result.bytes).toBe(result.requests * load.blockBytes);
        expect(result.iops).toBeCloseTo(result.requests / result.seconds, -1);
        expect(result.seconds).toBeGreaterThanOrEqual(0.2);
        expect(result.latencyUsP99).toBeGreaterThanOrEqual(result.latencyUsP50);
        expect(result.latencyUsP999).toBeGreaterThanOrEqual(result.latencyUsP99);
        expect(result.structured).toBe(load.replies === 'structured');
        expect(result.cpuUsPerRequest).toBeGreaterThan(0);
      },
    );

    it('of a mix, 7 of 10 requests are reads', async () => {
      const log = path.join(folder, 'requests.log');
      await runLoadgen(mix, await serve('--filter=log', 'memory', '64M', `logfile=${log}`), 0.2, 1);
      const requests = readFileSync(log, 'utf8');
      const count = (kind: RegExp) => requests.match(kind)?.length ?? 0;
      const [reads, writes] = [count(/ Read /g), count(/ Write /g)];
      expect(reads / (reads + writes)).toBeCloseTo(0.7, 1);
    });

    it('takes structured replies where they are offered, simple ones where not', async () => {
      const offered = { ...read, replies: 'offered' as const };
      expect(await runLoadgen(offered, await serve('memory', '64M'), 0.1, 1)).toMatchObject({
        structured: true,
      });
      await stop();
      const uri = await serve('--no-sr', 'memory', '64M');
      expect(await runLoadgen(offered, uri, 0.1, 1)).toMatchObject({ structured: false });
      await expect(runLoadgen({ ...read, replies: 'structured' }, uri, 0.1, 1)).rejects.toThrow(
        'the server has no structured replies',
      );
    });

    it('holds connections and does nothing with them', async () => {
      const log = path.join(folder, 'requests.log');
      const holder = holdConnections(await serve('--filter=log', 'memory', '64M', `logfile=${log}`), 20);
      await ready(holder, () => holder.output().includes('{"holding":20}') || undefined);
      await stopDaemon(holder);
      const lines = readFileSync(log, 'utf8');
      expect(lines.match(/ Connect /g)).toHaveLength(20);
      expect(lines).not.toMatch(/ Read | Write /);
    });

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
