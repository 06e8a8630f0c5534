import { fstatSync, readdirSync, readFileSync, statSync, type BigIntStats } from 'node:fs';
import { ifThere, programOf } from './processes.js';

/** A process that keeps a file locked. */
export interface LockHolder {
  readonly pid: number;
  /** `qemu-nbd`; `holdfast io-worker` for a service of ours. */
  readonly program: string;
}

/**
 * The processes that keep a lock on a file, of those that we may look into: the ones of our own user, or all for
 * root. Asked of each descriptor (`lock:` in /proc/PID/fdinfo, proc_pid_fdinfo(5)), since /proc/locks tells
 * who took a lock, which may be dead, or nobody at all (-1, open file description locks).
 *
 * @param file a path, or a descriptor
 */
export function lockHolders(file: string | number): LockHolder[] {
  const wanted =
    typeof file === 'number' ? fstatSync(file, { bigint: true }) : statSync(file, { bigint: true });
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && locks(name, wanted))
    .map((name) => ({ pid: Number(name), program: programOf(name) }));
}

/** `: holdfast io-worker (pid 12), qemu-nbd (pid 15)`, or nothing where nobody is known. */
export function listHolders(holders: readonly LockHolder[]): string {
  if (holders.length === 0) return '';
  return `: ${holders.map(({ pid, program }) => `${program} (pid ${pid})`).join(', ')}`;
}

function locks(pid: string, wanted: BigIntStats): boolean {
  const numbers = ifThere(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return numbers.some((number) => {
    const found = ifThere(() => statSync(`/proc/${pid}/fd/${number}`, { bigint: true }));
    if (found?.dev !== wanted.dev || found.ino !== wanted.ino) return false;
    return /^lock:/m.test(ifThere(() => readFileSync(`/proc/${pid}/fdinfo/${number}`, 'utf8')) ?? '');
  });
}
