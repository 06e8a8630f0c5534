const HIGH_UNIT = 2 ** 32;

/**
 * Reads 64 unsigned bits as a number, since a bigint is allocated anew each time. Exact up to 2^53−1; beyond, only its
 * being beyond is exact.
 */
export function getUint64(view: DataView, at: number): number {
  return view.getUint32(at) * HIGH_UNIT + view.getUint32(at + 4);
}

/** Writes a whole number up to 2^53−1 as 64 bits. */
export function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / HIGH_UNIT));
  view.setUint32(at + 4, value % HIGH_UNIT);
}
