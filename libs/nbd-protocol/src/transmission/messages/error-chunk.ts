import { Buffer } from 'node:buffer';
import { bufferOver } from '../../handshake/buffer-over.js';
import { encodeText, parseString } from '../../handshake/string.js';

/*
 * Payload of NBD_REPLY_TYPE_ERROR, and the start of every other error chunk (section "Structured reply types")
 *   S: 32 bits, error (MUST be nonzero)
 *   S: 16 bits, message length
 *   S: (message length bytes) text for a human
 */
const START_BYTES = 6;

export interface ErrorChunk {
  /** An `NbdError`, or one that this side does not know. */
  readonly error: number;
  /** Empty if there is none. */
  readonly message: string;
}

export function encodeErrorChunk({ error, message }: ErrorChunk): Uint8Array {
  const text = encodeText(message);
  const bytes = Buffer.alloc(START_BYTES + text.length);
  bytes.writeUInt32BE(error, 0);
  bytes.writeUInt16BE(text.length, 4);
  bytes.set(text, START_BYTES);
  return bytes;
}

/** Reads the start of an error chunk; what else a chunk of its type may have follows at `end`. */
export function parseErrorStart(payload: Uint8Array): (ErrorChunk & { readonly end: number }) | 'malformed' {
  if (payload.length < START_BYTES) return 'malformed';
  const bytes = bufferOver(payload);
  const error = bytes.readUInt32BE(0);
  const end = START_BYTES + bytes.readUInt16BE(4);
  if (error === 0 || end > bytes.length) return 'malformed';
  const message = parseString(bytes.subarray(START_BYTES, end));
  return message === undefined ? 'malformed' : { error, message, end };
}

/** Reads an error chunk of type ERROR, or of one that this side does not know: what follows the text is ignored. */
export function parseErrorChunk(payload: Uint8Array): ErrorChunk | 'malformed' {
  const start = parseErrorStart(payload);
  return start === 'malformed' ? 'malformed' : { error: start.error, message: start.message };
}
