/** The disk images: fully allocated, random, warm in the page cache or all out of it, and clean when a load begins. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const chunkBytes = 4 << 20;
/** After a sync the disk and the kernel's threads still have small things to finish. */
const settleMs = 300;

/** What may stay in the page cache of an image that was dropped: a page or two that somebody just looked at. */
const residentShareMax = 0.01;

/**
 * A folder of ours in another.
 * @param {string} parent
 */
export function makeFolder(parent) {
  return mkdtempSync(path.join(parent, 'holdfast-bench-'));
}

/** @param {string} folder */
export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {string} file */
export function removeFile(file) {
  rmSync(file);
  return file;
}

/**
 * Random, so that nobody gains from holes, zeroes or shared blocks.
 * @param {string} file
 * @param {number} sizeBytes
 */
export async function makeImage(file, sizeBytes) {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  mkdirSync(path.dirname(file), { recursive: true });
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
export async function warm(file) {
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

/**
 * Puts all of an image out of the page cache (posix_fadvise(2), POSIX_FADV_DONTNEED): of this file only, so it needs no
 * privilege and hits nobody else. Pages that a server has mapped would stay, and its cold reads be warm: that is found
 * out.
 * @param {string} file
 * @throws Error when it stays
 */
export async function dropCache(file) {
  await flush(file);
  execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'pipe' });
  const { size } = await stat(file);
  const resident = residentBytes(file);
  if (size > 0 && resident > size * residentShareMax)
    throw new Error(`${resident} of ${size} bytes of the image stay in the page cache: this is no cold read`);
}

/**
 * What the page cache has of a file; 0 when nobody here can tell, and of block devices.
 * @param {string} file
 */
export function residentBytes(file) {
  const args = ['--bytes', '--noheadings', '--output', 'RES', file];
  const { status, stdout } = spawnSync('fincore', args, { encoding: 'utf8' });
  return status === 0 ? Number(stdout.trim()) : 0;
}

/**
 * The type of the file system at a place, as in ext2/ext3 or tmpfs.
 * @param {string} folder
 */
export function fileSystemOf(folder) {
  return execFileSync('stat', ['--file-system', '--format=%T', folder], { encoding: 'utf8' }).trim();
}

/** @param {string} folder */
export function freeBytes(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
