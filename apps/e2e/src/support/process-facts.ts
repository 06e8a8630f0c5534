import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a process's descriptors point to (proc_pid_fd(5)); empty when it is gone. */
export function openFds(pid: number): string[] {
  return entries(`/proc/${String(pid)}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${String(pid)}/fd/${fd}`)];
    } catch {
      // Closed since it was listed.
      return [];
    }
  });
}

/** Threads that the kernel sees in a process (proc_pid_task(5)). */
export function osThreads(pid: number): number {
  return entries(`/proc/${String(pid)}/task`).length;
}

/** Whether the process exists and has not ended: a zombie has. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${String(pid)}/stat`);
  return stat !== '' && !/^\d+ \(.*\) [ZX] /s.test(stat);
}

/** Its title, or its command line. */
export function titleOf(pid: number): string {
  return read(`/proc/${String(pid)}/cmdline`)
    .replaceAll('\0', ' ')
    .trim();
}

/** Child processes that have not ended. */
export function childrenOf(pid: number): number[] {
  return entries(`/proc/${String(pid)}/task`)
    .flatMap((thread) => read(`/proc/${String(pid)}/task/${thread}/children`).split(' '))
    .map(Number)
    .filter((child) => child > 0 && isAlive(child));
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
