import { TransmissionFlag } from '../constants/transmission-flags.js';
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

/**
 * What this server can do with an export; the gateway advertises it and the worker enforces it (T18). All
 * connections share one page cache, so a FLUSH on one covers them all (T13).
 */
export function advertisedFlags({ readOnly }: { readonly readOnly: boolean }): number {
  const { HAS_FLAGS, READ_ONLY, SEND_FLUSH, SEND_FUA, SEND_TRIM, SEND_WRITE_ZEROES, CAN_MULTI_CONN } =
    TransmissionFlag;
  const always = HAS_FLAGS | SEND_FLUSH | SEND_FUA | CAN_MULTI_CONN;
  return always | (readOnly ? READ_ONLY : SEND_TRIM | SEND_WRITE_ZEROES);
}
