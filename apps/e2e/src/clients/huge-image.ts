import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { scratchFolder } from '../support/scratch-folder.js';

export const TIB = 2 ** 40;
/** The finest that the file system has, bytes. */
export const BLOCK = 4096;
/** Blocks of data in each place, with holes between them: more than one reply tells. */
const BLOCKS = 4096;
const PLACES = [0, TIB / 2, TIB - 2 * BLOCK * BLOCKS];

/** Where the image has a block of data each. */
export const blockOffsets = PLACES.flatMap((place) =>
  Array.from({ length: BLOCKS }, (_, index) => place + 2 * BLOCK * index),
);

/** A real file of 1 TiB, in three places of which each second block is there. */
export function makeHugeImage(): string {
  const image = path.join(scratchFolder(), 'huge.img');
  const fd = openSync(image, 'w');
  ftruncateSync(fd, TIB);
  const block = Buffer.alloc(BLOCK, 1);
  for (const offset of blockOffsets) writeSync(fd, block, 0, BLOCK, offset);
  closeSync(fd);
  return image;
}
