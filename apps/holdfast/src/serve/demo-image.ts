import { closeSync, existsSync, ftruncateSync, openSync } from 'node:fs';
import type { Instance } from '../client/instance.js';
import { checkImages, type Image } from './images.js';

const DEMO_BYTES = 1024 ** 3;

/** What is served when no image is given: what was registered to stay, or else a demo image. */
export async function demoUnlessRegistered(
  instance: Instance,
  location: string,
  readOnly: boolean,
): Promise<Image[]> {
  const exports = await instance.listExports();
  if (exports.some((one) => !one.transient)) return [];
  makeDemoImage(location);
  return checkImages([location], readOnly);
}

/** A sparse 1 GiB image for a first try; one that exists is kept, with what was written to it. */
function makeDemoImage(location: string): void {
  if (existsSync(location)) return;
  const fd = openSync(location, 'wx', 0o600);
  try {
    ftruncateSync(fd, DEMO_BYTES);
  } finally {
    closeSync(fd);
  }
}
