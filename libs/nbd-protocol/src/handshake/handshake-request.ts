import type { BlockSize } from './block-size.js';
import type { Negotiated } from './negotiated.js';

/** One export in the answer to LIST. An empty description is none. */
export interface ExportListing {
  readonly name: string;
  readonly description: string;
}

/** What INFO, GO and EXPORT_NAME announce about an export. */
export interface ExportDescription {
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: bigint;
  /** For what was negotiated, see `advertisedFlags`. HAS_FLAGS need not be set: it always is on the wire. */
  readonly transmissionFlags: number;
  readonly blockSize: BlockSize;
}

/** Why a handshake ended without a transmission. */
export type HandshakeEnd =
  /** The client asked for it (ABORT). */
  | 'abort'
  /** Client flags that this server did not offer (N2). */
  | 'bad-client-flags'
  /** Without C_FIXED_NEWSTYLE only EXPORT_NAME may be sent. */
  | 'not-fixed-newstyle'
  /** Something else than an option where an option must begin. */
  | 'bad-option-magic'
  /** EXPORT_NAME with a name that is no string of the protocol; there is no reply to tell it by. */
  | 'bad-export-name'
  /** EXPORT_NAME for an export that the owner refused; there is no reply to tell it by (N3). */
  | 'export-name-refused'
  /** EXPORT_NAME without TLS, where TLS is required (N8); there is no reply to tell it by. */
  | 'export-name-without-tls'
  /** EXPORT_NAME after EXTENDED_HEADERS (N11), which must be followed by GO; there is no reply to tell it by. */
  | 'export-name-after-extended-headers'
  /** EXPORT_NAME while the server stops (N12); there is no reply to tell it by. */
  | 'export-name-while-stopping'
  /** STARTTLS was acknowledged, and the TLS handshake failed (N7). */
  | 'tls-failed'
  /** More options than {@link HandshakeLimits.optionsMax} (N10). */
  | 'options-limit'
  /** More bytes than {@link HandshakeLimits.totalBytesMax} (N10). */
  | 'total-bytes-limit';

/** What is asked about one export. */
export interface ExportInquiry {
  readonly exportName: string;
  /** The client asked for the block sizes, and so will keep to them. */
  readonly blockSizeAsked: boolean;
  /** How the transmission would be, as things stand. */
  readonly negotiated: Negotiated;
}

/** What the machine asks of its owner. */
export type HandshakeRequest =
  /** Nothing to do until more bytes are pushed. */
  | { readonly kind: 'need-input' }
  /** Answered by `answerList` or `refuse`. */
  | { readonly kind: 'list' }
  /** Answered by `answerInfo`, `refuse` or, unless sizes were asked for, `refuseWithoutBlockSize`. */
  | ({ readonly kind: 'info' } & ExportInquiry)
  /** Answered by `answerGo`, `refuse` or, unless sizes were asked for, `refuseWithoutBlockSize`. */
  | ({ readonly kind: 'go'; readonly via: 'go' | 'export-name' } & ExportInquiry)
  /** Which contexts has this export? Answered by `answerMetaContexts` or `refuse`. */
  | { readonly kind: 'meta-contexts'; readonly exportName: string }
  /**
   * Send the bytes, let the client begin TLS on the stream, and say `secured` or `notSecured`. What is pushed
   * afterwards is what came through TLS.
   */
  | { readonly kind: 'start-tls'; readonly bytes: Uint8Array }
  /** An answer that needed no decision: send it, then ask again. */
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  /** Send the bytes, if any, then close. The peer may be gone already: a failing send is no error (N6). */
  | { readonly kind: 'close'; readonly reason: HandshakeEnd; readonly bytes?: Uint8Array };

/** Bounds of one handshake (N10). Defaults are in `limits.ts`. */
export interface HandshakeLimits {
  /** Options on one connection. */
  readonly optionsMax: number;
  /** Data of one option that is read rather than skipped, bytes. */
  readonly optionBytesMax: number;
  /** All bytes pushed, including what was read beyond the handshake's end. */
  readonly totalBytesMax: number;
}

/** What to do with a refusal: send the bytes, and close if it says so. */
export interface Refusal {
  readonly bytes: Uint8Array;
  readonly close: boolean;
}
