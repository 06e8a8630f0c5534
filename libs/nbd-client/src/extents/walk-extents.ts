import type { Extent, ExtentList } from './extent-list.js';
import { LONG_EXTENT_BYTES } from './narrow-extents.js';

/** Where extents come from. */
export interface ExtentSource {
  /** Extents from `offset` on, at least one. */
  readonly query: (offset: bigint, length: bigint) => Promise<ExtentList>;
  /** Whether one question may be about more than 32 bits of bytes. */
  readonly isExtended: boolean;
  /** Bytes. */
  readonly blockSizeMinimum: number;
}

/** "a server MAY always safely report a status of 0 for any block" (section "Request types"). */
const UNKNOWN = 0n;

/**
 * Walks over the extents of a range, however many replies they take (A6). Neighbours of equal flags are one extent, the
 * last ends with the range, and together they cover it.
 */
export async function* walkExtents(
  source: ExtentSource,
  from: bigint,
  to: bigint,
): AsyncGenerator<Extent, undefined> {
  let last: Extent | undefined;
  // Whole replies are awaited, not each of their extents: there may be billions.
  for await (const reply of replies(source, from, to)) {
    for (const extent of reply) {
      if (extent.offset >= to) break;
      const length = minimum(extent.length, to - extent.offset);
      if (last?.flags === extent.flags) {
        last = { ...last, length: last.length + length };
      } else {
        if (last !== undefined) yield last;
        last = { offset: extent.offset, length, flags: extent.flags };
      }
    }
  }
  if (last !== undefined) yield last;
}

async function* replies(
  source: ExtentSource,
  from: bigint,
  to: bigint,
): AsyncGenerator<Iterable<Extent>, undefined> {
  const blockSize = BigInt(source.blockSizeMinimum);
  for (let offset = from; offset < to;) {
    const rest = to - offset;
    // Nothing can be asked about the end of an export that is no multiple of its minimum block size.
    const askable = rest - (rest % blockSize);
    if (askable === 0n) {
      yield [{ offset, length: rest, flags: UNKNOWN }];
      return;
    }
    const most = source.isExtended ? askable : minimum(askable, BigInt(LONG_EXTENT_BYTES));
    const extents = await source.query(offset, most);
    offset += extents.totalLength;
    yield extents;
  }
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
