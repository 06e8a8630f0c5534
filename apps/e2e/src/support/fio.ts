import { spawnSync } from 'node:child_process';
import { hasCommand, requirement, type Requirement } from './requirements.js';

/** fio, built with its nbd engine. */
export const requireFio: Requirement = requirement({
  'fio with the nbd engine':
    hasCommand('fio') && spawnSync('fio', ['--enghelp'], { encoding: 'utf8' }).stdout.includes('nbd'),
});

export interface FioVerify {
  readonly uri: string;
  readonly connections: number;
  /** Each connection has a part of the export to itself. */
  readonly bytesEach: number;
  /** `4k`, or a range. */
  readonly blocks: string;
  /** Each writes and verifies its part again and again for this long, instead of once. */
  readonly seconds?: number;
}

/** Arguments of fio: random writes, each read back and its checksum compared. Give it a folder of its own to run in. */
export function fioVerify({ uri, connections, bytesEach, blocks, seconds }: FioVerify): string[] {
  return [
    '--name=verify',
    '--ioengine=nbd',
    `--uri=${uri}`,
    '--rw=randwrite',
    blocks.includes('-') ? `--bsrange=${blocks}` : `--bs=${blocks}`,
    '--iodepth=32',
    `--numjobs=${String(connections)}`,
    `--size=${String(bytesEach)}`,
    `--offset_increment=${String(bytesEach)}`,
    '--verify=crc32c',
    '--verify_fatal=1',
    '--verify_state_save=0',
    '--randseed=1',
    '--output-format=json',
    ...(seconds === undefined ? [] : ['--time_based', `--runtime=${String(seconds)}`]),
  ];
}
