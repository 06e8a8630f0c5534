import { expect } from 'vitest';
import { spawnSync } from 'node:child_process';
import { start, type Running } from './command.js';
import { hasCommand, requirement, type Requirement } from './requirements.js';
import { scratchFolder } from './scratch-folder.js';

/** fio, built with its nbd engine. */
export const requireFio: Requirement = requirement({
  'fio with the nbd engine':
    hasCommand('fio') && spawnSync('fio', ['--enghelp'], { encoding: 'utf8' }).stdout.includes('nbd'),
});

export interface FioVerify {
  readonly uri: string;
  readonly connections: number;
  /** Where the part of the first begins; 0 unless told. */
  readonly firstByte?: number;
  /** Each connection has a part of the export to itself. */
  readonly bytesEach: number;
  /** `4k`, or a range. */
  readonly blocks: string;
  /** Each writes and verifies its part again and again until it is stopped, for this long at most, instead of once. */
  readonly endlessMs?: number;
}

/** What fio reports of one connection. */
export interface FioJob {
  /** 0, or an errno. */
  readonly error: number;
  readonly read: { readonly io_bytes: number };
  readonly write: { readonly io_bytes: number };
}

/** fio's exit code after it was interrupted and all was well until then. */
const FIO_INTERRUPTED = 128;

/** Starts random writes, 32 in flight on each connection, each read back and its checksum compared. */
export function startFio({
  uri,
  connections,
  firstByte = 0,
  bytesEach,
  blocks,
  endlessMs,
}: FioVerify): Running {
  const args = [
    '--name=verify',
    '--ioengine=nbd',
    // Not processes, which would outlive a kill -9.
    '--thread',
    `--uri=${uri}`,
    '--rw=randwrite',
    blocks.includes('-') ? `--bsrange=${blocks}` : `--bs=${blocks}`,
    '--iodepth=32',
    `--numjobs=${String(connections)}`,
    `--offset=${String(firstByte)}`,
    `--size=${String(bytesEach)}`,
    `--offset_increment=${String(bytesEach)}`,
    '--verify=crc32c',
    '--verify_fatal=1',
    '--verify_state_save=0',
    '--randseed=1',
    '--output-format=json',
    ...(endlessMs === undefined ? [] : ['--time_based', `--runtime=${String(Math.ceil(endlessMs / 1000))}`]),
  ];
  return start('fio', args, {
    cwd: scratchFolder(),
    ...(endlessMs !== undefined && { timeoutMs: endlessMs }),
  });
}

/** One entry a connection; what fio prints before and after its report is skipped. */
export function parseFioReport(stdout: string): readonly FioJob[] {
  const report = stdout.slice(stdout.indexOf('{'), stdout.lastIndexOf('}') + 1);
  return (JSON.parse(report) as { jobs: readonly FioJob[] }).jobs;
}

/**
 * Ends an endless run, which must have seen no error and no byte but those that it wrote.
 *
 * @param hasRead whether it has had the time to read some
 */
export async function endVerified({ child, finished }: Running, hasRead = true): Promise<void> {
  child.kill('SIGINT');
  const { code, stdout, stderr } = await finished;
  expect(code, stdout + stderr).toBe(FIO_INTERRUPTED);
  for (const job of parseFioReport(stdout)) {
    expect(job.error).toBe(0);
    if (hasRead) expect(job.read.io_bytes).toBeGreaterThan(0);
  }
  expect(stdout + stderr).not.toMatch(/verify: bad|crc32c: verify failed/);
}
