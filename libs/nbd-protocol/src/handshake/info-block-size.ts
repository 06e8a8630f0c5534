import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import { InfoType } from '../constants/info-types.js';
import { BLOCK_BYTES_MINIMUM_MAX, BLOCK_BYTES_PREFERRED_MIN } from '../limits.js';
import { bufferOver } from './buffer-over.js';
import type { ExportDescription } from './handshake-request.js';

/*
 * Data of NBD_REP_INFO, NBD_INFO_BLOCK_SIZE (section "Option reply types")
 *   S: 16 bits, NBD_INFO_BLOCK_SIZE
 *   S: 32 bits, minimum block size
 *   S: 32 bits, preferred block size
 *   S: 32 bits, maximum payload size
 */
const INFO_BLOCK_SIZE_BYTES = 14;

export type InfoBlockSize = ExportDescription['blockSize'];

export function encodeInfoBlockSize(blockSize: InfoBlockSize): Uint8Array {
  assertBlockSize(blockSize);
  const bytes = Buffer.alloc(INFO_BLOCK_SIZE_BYTES);
  bytes.writeUInt16BE(InfoType.BLOCK_SIZE, 0);
  bytes.writeUInt32BE(blockSize.minimum, 2);
  bytes.writeUInt32BE(blockSize.preferred, 6);
  bytes.writeUInt32BE(blockSize.payloadMaximum, 10);
  return bytes;
}

export function parseInfoBlockSize(data: Uint8Array): InfoBlockSize | 'malformed' {
  const bytes = bufferOver(data);
  if (bytes.length !== INFO_BLOCK_SIZE_BYTES || bytes.readUInt16BE(0) !== InfoType.BLOCK_SIZE) {
    return 'malformed';
  }
  return {
    minimum: bytes.readUInt32BE(2),
    preferred: bytes.readUInt32BE(6),
    payloadMaximum: bytes.readUInt32BE(10),
  };
}

/** Section "Size constraints": what an advertised size MUST be (T5). */
function assertBlockSize({ minimum, preferred, payloadMaximum }: InfoBlockSize): void {
  assert(
    isPowerOfTwo(minimum) && minimum <= BLOCK_BYTES_MINIMUM_MAX,
    'the minimum block size is a power of two up to 64 KiB',
  );
  assert(
    isPowerOfTwo(preferred) && preferred >= Math.max(minimum, BLOCK_BYTES_PREFERRED_MIN),
    'the preferred block size is a power of two, at least 512 and the minimum',
  );
  assert(payloadMaximum >= preferred, 'the maximum payload is at least the preferred block size');
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
