import { readdirSync } from 'node:fs';

/** How many descriptors this process holds open (proc_pid_fd(5)), without the one that counting opens. */
export function openFdCount(): number {
  return readdirSync('/proc/self/fd').length - 1;
}

/** How many threads the kernel sees in this process (proc_pid_task(5)). */
export function osThreadCount(): number {
  return readdirSync('/proc/self/task').length;
}
