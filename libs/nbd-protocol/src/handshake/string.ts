import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import { STRING_BYTES_MAX } from '../limits.js';

// A byte order mark is part of a name like any other character.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A string of the protocol: UTF-8, no NUL, at most 4096 bytes (section "Conventions").
 *
 * @returns undefined if the bytes are none
 */
export function parseString(bytes: Uint8Array): string | undefined {
  if (bytes.length > STRING_BYTES_MAX || bytes.includes(0)) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A string that names something, which must arrive as it is: a string that cannot is a bug of the caller. */
export function encodeName(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  assert(
    name.isWellFormed() && !name.includes('\0') && bytes.length <= STRING_BYTES_MAX,
    'a name is well-formed, without NUL, and at most 4096 bytes',
  );
  return bytes;
}

/** A text for a human: NULs become blanks, what is too long loses its end, both rather than fail the message. */
export function encodeText(text: string): Uint8Array {
  const bytes = Buffer.from(text.replaceAll('\0', ' '));
  if (bytes.length <= STRING_BYTES_MAX) return bytes;
  let end = STRING_BYTES_MAX;
  while (isContinuation(bytes[end])) end -= 1;
  return bytes.subarray(0, end);
}

/** True for the second and later bytes of a code point. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
