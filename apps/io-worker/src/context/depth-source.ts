import type { ExtentList } from '@holdfast/nbd-protocol';
import type { ExtentSource } from './extent-source.js';

/** The layer that is exported; there is none behind it. */
const LOCAL = 1;

/** `qemu:allocation-depth` of a raw device: all of it is in the one layer that there is, as qemu-nbd reports it. */
export const depthSource: ExtentSource = {
  fill(_device, sizeBytes, extents, offset) {
    return reportAll(sizeBytes, extents, offset);
  },
  fillAsync(_device, sizeBytes, extents, offset) {
    return Promise.resolve(reportAll(sizeBytes, extents, offset));
  },
};

function reportAll(sizeBytes: number, extents: ExtentList, offset: number): number {
  extents.add(sizeBytes - offset, LOCAL);
  return 0;
}
