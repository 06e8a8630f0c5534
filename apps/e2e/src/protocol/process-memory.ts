import { readFileSync } from 'node:fs';

/**
 * Memory of its own that a process has in use now, bytes (RssAnon, proc_pid_status(5)): pages of an image that it sent from
 * are the page cache's, and in VmRSS as well.
 */
export function ownBytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`process ${String(pid)} has no memory any more`);
  return Number(kilobytes) * 1024;
}
