import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A process, or a descriptor of it, may be gone between one look and the next, and may be none of our business. */
export function ifThere<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** The first word of a process's command line; ours have put their title in its place. */
export function programOf(pid: string): string {
  const [first = ''] = (ifThere(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0');
  return path.basename(first) || 'a process';
}
