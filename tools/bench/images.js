/** The disk images: fully allocated, random, warm in the page cache, and clean when a measurement begins. */
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const chunkBytes = 4 << 20;
/** After a sync the disk and the kernel's threads still have small things to finish. */
const settleMs = 300;

/** A folder for everything that a run leaves on disk. TMPDIR chooses the file system. */
export function makeFolder() {
  return mkdtempSync(path.join(tmpdir(), 'holdfast-bench-'));
}

/** @param {string} folder */
export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Random, so that nobody gains from holes, zeroes or shared blocks.
 * @param {string} file
 * @param {number} sizeBytes
 */
export async function makeImage(file, sizeBytes) {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const image = await open(file, 'wx');
  try {
    for (let offset = 0; offset < sizeBytes; offset += chunkBytes) {
      randomFillSync(chunk);
      await image.write(chunk, 0, Math.min(chunkBytes, sizeBytes - offset), offset);
    }
    await image.sync();
  } finally {
    await image.close();
  }
  await warm(file);
}

/**
 * Reads all of it once. Writing left it in the page cache, unless memory is short.
 * @param {string} file
 */
async function warm(file) {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const image = await open(file, 'r');
  try {
    while ((await image.read(chunk, 0, chunkBytes)).bytesRead > 0);
  } finally {
    await image.close();
  }
}

/**
 * Writes back what a load left dirty, outside of anybody's time, so that the next server does not pay for it.
 * @param {string} file
 */
export async function flush(file) {
  const image = await open(file, 'r+');
  try {
    await image.sync();
  } finally {
    await image.close();
  }
  await sleep(settleMs);
}
