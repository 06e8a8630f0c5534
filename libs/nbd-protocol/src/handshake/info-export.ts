import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import { InfoType } from '../constants/info-types.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { bufferOver } from './buffer-over.js';

/*
 * Data of NBD_REP_INFO, NBD_INFO_EXPORT (section "Option reply types")
 *   S: 16 bits, NBD_INFO_EXPORT
 *   S: 64 bits, size of the export in bytes (unsigned)
 *   S: 16 bits, transmission flags
 */
const INFO_EXPORT_BYTES = 12;

export interface InfoExport {
  readonly sizeBytes: bigint;
  /** Union of `TransmissionFlag`; HAS_FLAGS is always sent (T18). */
  readonly transmissionFlags: number;
}

export function encodeInfoExport({ sizeBytes, transmissionFlags }: InfoExport): Uint8Array {
  assert(sizeBytes >= 0n && sizeBytes < 1n << 64n, 'the size of an export is unsigned and has 64 bits');
  const bytes = Buffer.alloc(INFO_EXPORT_BYTES);
  bytes.writeUInt16BE(InfoType.EXPORT, 0);
  bytes.writeBigUInt64BE(sizeBytes, 2);
  bytes.writeUInt16BE(transmissionFlags | TransmissionFlag.HAS_FLAGS, 10);
  return bytes;
}

export function parseInfoExport(data: Uint8Array): InfoExport | 'malformed' {
  const bytes = bufferOver(data);
  if (bytes.length !== INFO_EXPORT_BYTES || bytes.readUInt16BE(0) !== InfoType.EXPORT) return 'malformed';
  return { sizeBytes: bytes.readBigUInt64BE(2), transmissionFlags: bytes.readUInt16BE(10) };
}
