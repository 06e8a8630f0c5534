import { InfoType, OptionReplyType } from '@holdfast/nbd-protocol';
import { PeerFault } from '../peer-fault.js';
import type { OptionAnswer } from '../wire/option-reply.js';

/** What a server tells of an export. */
export interface ExportFacts {
  readonly sizeBytes: bigint;
  /** Union of NBD_FLAG_…. */
  readonly flags: number;
  /** Undefined when the server did not tell. */
  readonly blockSize:
    { readonly minimum: number; readonly preferred: number; readonly maximum: number } | undefined;
}

/** What INFO or GO told. @throws PeerFault if NBD_INFO_EXPORT is missing, or something has the wrong length */
export function factsOf({ details }: OptionAnswer): ExportFacts {
  let facts: Pick<ExportFacts, 'sizeBytes' | 'flags'> | undefined;
  let blockSize: ExportFacts['blockSize'];
  for (const { type, data } of details) {
    if (type !== OptionReplyType.INFO) continue;
    if (data.length < 2) throw new PeerFault(`an NBD_REP_INFO of ${data.length} bytes`);
    const info = data.readUInt16BE(0);
    if (info === InfoType.EXPORT) {
      expectLength('NBD_INFO_EXPORT', data.length, 12);
      facts = { sizeBytes: data.readBigUInt64BE(2), flags: data.readUInt16BE(10) };
    } else if (info === InfoType.BLOCK_SIZE) {
      expectLength('NBD_INFO_BLOCK_SIZE', data.length, 14);
      blockSize = {
        minimum: data.readUInt32BE(2),
        preferred: data.readUInt32BE(6),
        maximum: data.readUInt32BE(10),
      };
    }
  }
  if (facts === undefined) throw new PeerFault('no NBD_INFO_EXPORT before NBD_REP_ACK');
  return { ...facts, blockSize };
}

function expectLength(name: string, length: number, expected: number): void {
  if (length !== expected) throw new PeerFault(`an ${name} of ${length} bytes, not ${expected}`);
}
