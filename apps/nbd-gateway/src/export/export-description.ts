import { advertisedFlags, type ExportDescription, type Negotiated } from '@holdfast/nbd-protocol';
import type { ExportRecord } from '@holdfast/store';

/** What the record of an export does not say. */
export interface ExportCircumstances {
  /** Size of the device in bytes. */
  readonly sizeBytes: bigint;
  /** Whether the export, or the device behind it, can only be read. */
  readonly readOnly: boolean;
  readonly negotiated: Negotiated;
}

/**
 * One place for what is announced, so that INFO and GO say the same (N5). What is left of a device behind its last
 * whole block is not announced: "the client would be unable to access the final few bytes" (spec, "Block size
 * constraints").
 */
export function describeExport(
  record: ExportRecord,
  { sizeBytes, readOnly, negotiated }: ExportCircumstances,
): ExportDescription {
  const { minimum, preferred, payloadMaximum } = record.blockSize;
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
    }),
    blockSize: { minimum, preferred, payloadMaximum },
  };
}
