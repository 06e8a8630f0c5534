import { Errno, seekData, seekDataAsync, seekHole, seekHoleAsync } from '@holdfast/linux';
import { AllocationState, type ExtentList } from '@holdfast/nbd-protocol';
import type { ExtentSource } from './extent-source.js';

/** What the page cache keeps apart, and so the smallest unit of data that lseek(2) finds. */
const PAGE_BYTES = 4096;

const DATA = 0;
const HOLE = AllocationState.HOLE | AllocationState.ZERO;

/**
 * `base:allocation` as lseek(2) tells it: what a file system knows to be a hole, what has not come back from the page
 * cache yet included. A block device is data throughout unless its driver knows better. The question for the end of data
 * comes first: where there are no holes it is the only one.
 */
export const allocationSource: ExtentSource = {
  fill(device, sizeBytes, extents, offset, length) {
    let at = offset;
    while (at >= 0 && at < offset + length && !extents.isFull) {
      const hole = seekHole(device, at);
      at = report(extents, at, hole, hole === at ? seekData(device, at) : hole, sizeBytes);
    }
    return at < 0 ? -at : 0;
  },

  async fillAsync(device, sizeBytes, extents, offset, length) {
    let at = offset;
    while (at >= 0 && at < offset + length && !extents.isFull) {
      const hole = await seekHoleAsync(device, at);
      at = report(extents, at, hole, hole === at ? await seekDataAsync(device, at) : hole, sizeBytes);
    }
    return at < 0 ? -at : 0;
  },
};

/**
 * Reports the extent at `at`, where `hole` is the next hole and, if that is here, `data` the next data.
 *
 * @returns where it ends, or a negative errno
 */
function report(extents: ExtentList, at: number, hole: number, data: number, sizeBytes: number): number {
  if (hole > at) return add(extents, at, hole, DATA);
  if (hole < 0) {
    // Cut short behind our back, or not to be searched: reading it is what tells.
    const isUnknown = hole === -Errno.ENXIO || hole === -Errno.EINVAL;
    return isUnknown ? add(extents, at, sizeBytes, DATA) : hole;
  }
  if (data > at) return add(extents, at, data, HOLE);
  // Nothing but a hole to the end of the file.
  if (data === -Errno.ENXIO) return add(extents, at, sizeBytes, HOLE);
  // Written between the two questions: it is data, to the end of the page at least.
  return data < 0 ? data : add(extents, at, at + PAGE_BYTES - (at % PAGE_BYTES), DATA);
}

function add(extents: ExtentList, from: number, until: number, flags: number): number {
  extents.add(until - from, flags);
  return until;
}
