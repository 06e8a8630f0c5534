import { fstatSync, readdirSync, statSync } from 'node:fs';
import { ifThere, programOf } from './processes.js';

/** A process that has a device open. */
export interface OpenHolder {
  readonly pid: number;
  /** `qemu-nbd`; `holdfast io-worker` for a service of ours. */
  readonly program: string;
}

/**
 * The processes that have a file or block device open, of those that we may look into: the ones of our own user, or all
 * for root. The kernel's own users, a file system that is mounted for one, are no processes.
 *
 * @param fd an open descriptor of it
 */
export function openHolders(fd: number): OpenHolder[] {
  const device = fstatSync(fd, { bigint: true });
  const isIt = (path: string) => {
    const found = ifThere(() => statSync(path, { bigint: true }));
    if (found === undefined) return false;
    if (device.isBlockDevice()) return found.isBlockDevice() && found.rdev === device.rdev;
    return found.dev === device.dev && found.ino === device.ino;
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const numbers = ifThere(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
      return numbers.some((number) => isIt(`/proc/${pid}/fd/${number}`));
    })
    .map((pid) => ({ pid: Number(pid), program: programOf(pid) }));
}
