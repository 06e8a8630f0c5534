import { TransmissionFlag } from '../constants/transmission-flags.js';
import type { MetaContext } from './meta-context.js';
import type { ReplyMode } from './reply-mode.js';

/** What the handshake settled for the transmission of one export. */
export interface Negotiated {
  readonly replyMode: ReplyMode;
  /** What BLOCK_STATUS reports; empty unless the last SET_META_CONTEXT named the same export (N9). */
  readonly contexts: readonly MetaContext[];
  /** The bytes go through TLS. */
  readonly tls: boolean;
}

/**
 * The transmission flags of an export, without those that need more than was negotiated (section "Transmission
 * flags"): SEND_DF needs replies in chunks, BLOCK_STATUS_PAYLOAD extended headers and contexts to choose from.
 */
export function announcedFlags(transmissionFlags: number, { replyMode, contexts }: Negotiated): number {
  let flags = transmissionFlags;
  if (replyMode === 'simple') flags &= ~TransmissionFlag.SEND_DF;
  if (replyMode !== 'extended' || contexts.length === 0) flags &= ~TransmissionFlag.BLOCK_STATUS_PAYLOAD;
  return flags;
}
