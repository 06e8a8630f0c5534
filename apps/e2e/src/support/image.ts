import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, createReadStream, ftruncateSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { scratchFolder } from './scratch-folder.js';

export const MIB = 1024 * 1024;

/** `random`: no two blocks alike. `sparse`: a hole, but for a random MiB in its middle. `empty`: nothing but a hole. */
export type Fill = 'random' | 'sparse' | 'empty';

/** Makes an image file, in a folder of its own unless told. @returns its path */
export function makeImage(
  bytes: number,
  {
    fill = 'random',
    name = 'disk.img',
    folder = scratchFolder(),
  }: { fill?: Fill; name?: string; folder?: string } = {},
): string {
  const location = path.join(folder, name);
  const fd = openSync(location, 'wx', 0o644);
  try {
    ftruncateSync(fd, bytes);
    if (fill === 'random') fillRandomly(fd, 0, bytes);
    if (fill === 'sparse') fillRandomly(fd, Math.floor(bytes / 2), Math.min(MIB, Math.ceil(bytes / 2)));
  } finally {
    closeSync(fd);
  }
  return location;
}

export async function sha256(location: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(location, { highWaterMark: MIB }), hash);
  return hash.digest('hex');
}

function fillRandomly(fd: number, offset: number, length: number): void {
  for (let done = 0; done < length; done += MIB) {
    const piece = randomFillSync(Buffer.alloc(Math.min(MIB, length - done)));
    writeSync(fd, piece, 0, piece.length, offset + done);
  }
}
