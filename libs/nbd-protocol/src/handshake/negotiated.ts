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
 * Whether transmission flags may be announced (section "Transmission flags"): SEND_DF needs replies in chunks,
 * BLOCK_STATUS_PAYLOAD extended headers, and contexts to choose from.
 */
export function flagsAreNegotiated(transmissionFlags: number, { replyMode, contexts }: Negotiated): boolean {
  const needsChunks = (transmissionFlags & TransmissionFlag.SEND_DF) !== 0;
  const needsContexts = (transmissionFlags & TransmissionFlag.BLOCK_STATUS_PAYLOAD) !== 0;
  return (
    (!needsChunks || replyMode !== 'simple') &&
    (!needsContexts || (replyMode === 'extended' && contexts.length > 0))
  );
}
