import { TransmissionFlag } from '../constants/transmission-flags.js';
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

/** What decides which flags an export has for one client. */
export interface OfferFacts {
  readonly readOnly: boolean;
  /** What was negotiated; `simple` if nothing was. */
  readonly replyMode?: ReplyMode;
  /** Whether metadata contexts are selected. */
  readonly hasContexts?: boolean;
  /** Whether a client may use several connections; true if nothing is said. */
  readonly multipleConnections?: boolean;
}

/**
 * What this server can do with an export; the gateway advertises it and the worker enforces it (T18). All
 * connections share one page cache, so a FLUSH on one covers them all (T13).
 */
export function advertisedFlags({
  readOnly,
  replyMode = 'simple',
  hasContexts = false,
  multipleConnections = true,
}: OfferFacts): number {
  const flag = TransmissionFlag;
  const always = flag.HAS_FLAGS | flag.SEND_FLUSH | flag.SEND_FUA | flag.SEND_CACHE;
  const several = multipleConnections ? flag.CAN_MULTI_CONN : 0;
  const writing = readOnly ? flag.READ_ONLY : flag.SEND_TRIM | flag.SEND_WRITE_ZEROES | flag.SEND_FAST_ZERO;
  const inChunks = replyMode === 'simple' ? 0 : flag.SEND_DF;
  const filtered = replyMode === 'extended' && hasContexts ? flag.BLOCK_STATUS_PAYLOAD : 0;
  return always | several | writing | inChunks | filtered;
}
