import type { MetaContext } from './meta-context.js';
import type { Negotiated } from './negotiated.js';
import type { ReplyMode } from './reply-mode.js';

/**
 * How a server stands to TLS (section "Server-side requirements"): NOTLS, FORCEDTLS, SELECTIVETLS. It is the same for
 * the life of a connection (N8).
 */
export type TlsMode = 'off' | 'required' | 'per-export';

/** The contexts that the last SET_META_CONTEXT selected, and the export that it named. */
export interface MetaContextSelection {
  readonly exportName: string;
  readonly contexts: readonly MetaContext[];
}

/** What client and server have agreed on by options. */
export interface Agreements {
  readonly replyMode: ReplyMode;
  readonly selection: MetaContextSelection | undefined;
}

/** What a handshake knows of its connection, wherever it stands. */
export interface HandshakeFacts {
  readonly tlsMode: TlsMode;
  /** What is pushed came through TLS. */
  readonly secured: boolean;
  /** The server is being shut down. */
  readonly stopping: boolean;
  /** Union of `ClientFlag`. */
  readonly clientFlags: number;
  readonly optionsSeen: number;
  readonly agreements: Agreements;
}

const NOTHING_AGREED: Agreements = { replyMode: 'simple', selection: undefined };

export function initialFacts(tlsMode: TlsMode): HandshakeFacts {
  return {
    tlsMode,
    secured: false,
    stopping: false,
    clientFlags: 0,
    optionsSeen: 0,
    agreements: NOTHING_AGREED,
  };
}

/** N7: "the server MUST NOT preserve any negotiation state … issued before this command". */
export function secured(facts: HandshakeFacts): HandshakeFacts {
  return { ...facts, secured: true, agreements: NOTHING_AGREED };
}

export function agreeing(facts: HandshakeFacts, change: Partial<Agreements>): HandshakeFacts {
  return { ...facts, agreements: { ...facts.agreements, ...change } };
}

/** N8, FORCEDTLS: nothing is negotiated before TLS. */
export function tlsIsDue({ tlsMode, secured: isSecured }: HandshakeFacts): boolean {
  return tlsMode === 'required' && !isSecured;
}

/** N8, SELECTIVETLS: a client without TLS learns nothing of the exports that need it, nor which names are free. */
export function hidesTlsExports({ tlsMode, secured: isSecured }: HandshakeFacts): boolean {
  return tlsMode === 'per-export' && !isSecured;
}

/** How the transmission of an export would be, as things stand. */
export function negotiatedFor(exportName: string, { agreements, secured: tls }: HandshakeFacts): Negotiated {
  const { replyMode, selection } = agreements;
  return { replyMode, contexts: selection?.exportName === exportName ? selection.contexts : [], tls };
}
