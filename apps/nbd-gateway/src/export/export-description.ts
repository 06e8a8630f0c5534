import { advertisedFlags, type ExportDescription, type Negotiated } from '@holdfast/nbd-protocol';
import type { ExportRecord } from '@holdfast/store';
import { effectiveBlockSize, type DeviceOffer } from './device-offer.js';

/** What the record of an export does not say. */
export interface ExportCircumstances {
  /** Size of the device in bytes. */
  readonly sizeBytes: bigint;
  /** What the device behind it lets it offer. */
  readonly device: Pick<DeviceOffer, 'readOnly' | 'upstream'>;
  readonly negotiated: Negotiated;
}

/**
 * One place for what is announced, so that INFO and GO say the same (N5). What is left of a device behind its last
 * whole block is not announced: "the client would be unable to access the final few bytes" (spec, "Block size
 * constraints").
 */
export function describeExport(
  record: ExportRecord,
  { sizeBytes, device, negotiated }: ExportCircumstances,
): ExportDescription {
  const { minimum, preferred, payloadMaximum } = effectiveBlockSize(record.blockSize, device.upstream);
  const readOnly = record.readOnly || device.readOnly;
  const { replyMode, contexts } = negotiated;
  return {
    name: record.id,
    description: record.description,
    sizeBytes: sizeBytes - (sizeBytes % BigInt(minimum)),
    transmissionFlags: advertisedFlags({
      readOnly,
      replyMode,
      hasContexts: contexts.length > 0,
      multipleConnections: readOnly || record.writers !== 'ONE_CONNECTION',
      upstreamFlags: device.upstream?.transmissionFlags,
    }),
    blockSize: { minimum, preferred, payloadMaximum },
  };
}
