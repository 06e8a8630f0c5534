import type { NativeBuffer } from '@holdfast/linux';
import type { ExtentList } from '@holdfast/nbd-protocol';

/**
 * What the event loop serves a session from, without ever blocking: whole transfers, each answered by 0 or a Linux errno.
 * Requests of a session come one at a time. Buffers are lent until the promise settles.
 */
export interface EventedDevice {
  /** Reads at once if that takes no waiting. @returns 0, or EAGAIN: nothing is known */
  readCached(address: number, length: number, offset: number): number;
  read(into: NativeBuffer, start: number, length: number, offset: number): Promise<number>;
  /** @param durable on stable storage before it is answered */
  write(from: NativeBuffer, start: number, length: number, offset: number, durable: boolean): Promise<number>;
  flush(): Promise<number>;
  cache(offset: number, length: number): Promise<number>;
  trim(offset: number, length: number, durable: boolean): Promise<number>;
  /**
   * @param noHole keeps it provisioned
   * @param fast is EOPNOTSUPP rather than no faster than writing
   */
  zero(offset: number, length: number, durable: boolean, noHole: boolean, fast: boolean): Promise<number>;
  /**
   * Appends what a metadata context says from `offset` on: at least one extent, until `length` bytes are covered or the list
   * is full; the last may go beyond.
   */
  extents(
    context: string,
    sizeBytes: number,
    extents: ExtentList,
    offset: number,
    length: number,
  ): Promise<number>;
}
