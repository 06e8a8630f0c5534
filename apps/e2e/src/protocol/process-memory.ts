import { readFileSync } from 'node:fs';

/** Memory that a process has in use now, bytes (VmRSS, proc_pid_status(5)). */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`process ${String(pid)} has no memory any more`);
  return Number(kilobytes) * 1024;
}
