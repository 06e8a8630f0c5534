import type { ExtentList } from './extent-list.js';

const UINT32_MAX = 0xffff_ffffn;

/** What an extent of more than 2^32−1 bytes is reported as: 4 GiB − 64 MiB, a multiple of every block size (B3). */
export const LONG_EXTENT_BYTES = 0xfc00_0000;

/**
 * The view of 32 bits on an answer of 64 (B3): length and flags of one extent after the other, in an array of its own. An
 * extent that is too long is reported shorter, and what follows it is left out, so that the caller asks again from there.
 *
 * @returns `overflow` if flags do not fit: what they say must not be lost
 */
export function narrowExtents(extents: ExtentList): Uint32Array | 'overflow' {
  const narrow = new Uint32Array(2 * extents.count);
  for (let index = 0; index < extents.count; index += 1) {
    const flags = extents.flagsOf(index);
    const length = extents.lengthOf(index);
    if (flags > UINT32_MAX) return 'overflow';
    narrow[2 * index + 1] = Number(flags);
    if (length > UINT32_MAX) {
      narrow[2 * index] = LONG_EXTENT_BYTES;
      return narrow.slice(0, 2 * index + 2);
    }
    narrow[2 * index] = Number(length);
  }
  return narrow;
}
