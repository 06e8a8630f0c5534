import { TransmissionFlag } from '../constants/transmission-flags.js';
import type { BlockSize } from '../handshake/block-size.js';
import type { ReplyMode } from '../handshake/reply-mode.js';
import {
  BLOCK_BYTES_MINIMUM_DEFAULT,
  BLOCK_BYTES_PREFERRED_DEFAULT,
  PAYLOAD_BYTES_MAX_DEFAULT,
} from '../limits.js';

/** Sizes of an export for which none were configured. Every byte is addressable, since devices are read by the page cache. */
export const DEFAULT_BLOCK_SIZE = {
  minimum: BLOCK_BYTES_MINIMUM_DEFAULT,
  preferred: BLOCK_BYTES_PREFERRED_DEFAULT,
  payloadMaximum: PAYLOAD_BYTES_MAX_DEFAULT,
} as const;

/** What another server offers of an export that we serve on: what we can do with it is what it can. */
export interface UpstreamOffer {
  /** Union of `TransmissionFlag`, as that server told it. */
  readonly transmissionFlags: number;
  /** What our requests there must keep to. */
  readonly blockSize: BlockSize;
  /** Whether it answers BLOCK_STATUS with `base:allocation`. */
  readonly baseAllocation: boolean;
}

/** What decides which flags an export has for one client. */
export interface OfferFacts {
  readonly readOnly: boolean;
  /** What was negotiated; `simple` if nothing was. */
  readonly replyMode?: ReplyMode;
  /** Whether metadata contexts are selected. */
  readonly hasContexts?: boolean;
  /** Whether a client may use several connections; true if nothing is said. */
  readonly multipleConnections?: boolean;
  /** `TransmissionFlag`s of the server behind it, if the export is of another one. */
  readonly upstreamFlags?: number | undefined;
}

const { SEND_FLUSH, SEND_FUA, CAN_MULTI_CONN, SEND_CACHE, SEND_TRIM, SEND_WRITE_ZEROES, SEND_FAST_ZERO } =
  TransmissionFlag;

/** What the server behind an export must be able to do as well; the others are of our own making. */
const PASSED_ON =
  SEND_FLUSH | SEND_FUA | CAN_MULTI_CONN | SEND_CACHE | SEND_TRIM | SEND_WRITE_ZEROES | SEND_FAST_ZERO;

/**
 * What this server can do with an export; the gateway advertises it and the worker enforces it (T18). All
 * connections share one page cache, so a FLUSH on one covers them all (T13). Of an export of another server it is what
 * that one can do, too.
 */
export function advertisedFlags({
  readOnly,
  replyMode = 'simple',
  hasContexts = false,
  multipleConnections = true,
  upstreamFlags,
}: OfferFacts): number {
  const flag = TransmissionFlag;
  const always = flag.HAS_FLAGS | SEND_FLUSH | SEND_FUA | SEND_CACHE;
  const several = multipleConnections ? CAN_MULTI_CONN : 0;
  const writing = readOnly ? flag.READ_ONLY : SEND_TRIM | SEND_WRITE_ZEROES | SEND_FAST_ZERO;
  const inChunks = replyMode === 'simple' ? 0 : flag.SEND_DF;
  const filtered = replyMode === 'extended' && hasContexts ? flag.BLOCK_STATUS_PAYLOAD : 0;
  return (always | several | writing | inChunks | filtered) & ~(PASSED_ON & ~passedOn(upstreamFlags));
}

/** FAST_ZERO means nothing without WRITE_ZEROES. */
function passedOn(upstreamFlags = PASSED_ON): number {
  return (upstreamFlags & SEND_WRITE_ZEROES) === 0 ? upstreamFlags & ~SEND_FAST_ZERO : upstreamFlags;
}
