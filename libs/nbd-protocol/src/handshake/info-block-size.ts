import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import { InfoType } from '../constants/info-types.js';
import { blockSizeFault, type BlockSize } from './block-size.js';
import { bufferOver } from './buffer-over.js';

/*
 * Data of NBD_REP_INFO, NBD_INFO_BLOCK_SIZE (section "Option reply types")
 *   S: 16 bits, NBD_INFO_BLOCK_SIZE
 *   S: 32 bits, minimum block size
 *   S: 32 bits, preferred block size
 *   S: 32 bits, maximum payload size
 */
const INFO_BLOCK_SIZE_BYTES = 14;

export function encodeInfoBlockSize(blockSize: BlockSize): Uint8Array {
  assert(blockSizeFault(blockSize) === undefined, 'only legal block sizes are announced');
  const bytes = Buffer.alloc(INFO_BLOCK_SIZE_BYTES);
  bytes.writeUInt16BE(InfoType.BLOCK_SIZE, 0);
  bytes.writeUInt32BE(blockSize.minimum, 2);
  bytes.writeUInt32BE(blockSize.preferred, 6);
  bytes.writeUInt32BE(blockSize.payloadMaximum, 10);
  return bytes;
}

/** Reads the sizes as they are; whether they are legal is for the reader to judge, by `blockSizeFault`. */
export function parseInfoBlockSize(data: Uint8Array): BlockSize | 'malformed' {
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
