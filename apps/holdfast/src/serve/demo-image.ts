import { closeSync, existsSync, ftruncateSync, openSync } from 'node:fs';

const DEMO_BYTES = 1024 ** 3;

/** A sparse 1 GiB image for a first try; one that exists is kept, with what was written to it. */
export function makeDemoImage(location: string): void {
  if (existsSync(location)) return;
  const fd = openSync(location, 'wx', 0o600);
  try {
    ftruncateSync(fd, DEMO_BYTES);
  } finally {
    closeSync(fd);
  }
}
