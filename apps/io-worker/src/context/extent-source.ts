import type { ExtentList } from '@holdfast/nbd-protocol';

/** Where the extents of a metadata context come from, for either engine. */
export interface ExtentSource {
  /**
   * Appends what the device has from `offset` on: at least one extent, until `length` bytes are covered or the list is
   * full; the last may go beyond. Blocks.
   *
   * @param device an open descriptor
   * @returns 0, or a positive errno
   */
  readonly fill: (
    device: number,
    sizeBytes: number,
    extents: ExtentList,
    offset: number,
    length: number,
  ) => number;
  /** The same without blocking the thread. */
  readonly fillAsync: (
    device: number,
    sizeBytes: number,
    extents: ExtentList,
    offset: number,
    length: number,
  ) => Promise<number>;
}
