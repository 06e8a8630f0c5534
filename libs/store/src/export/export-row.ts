import { assert } from '@holdfast/foundation';
import type { Export } from '../generated/sqlite/client.js';
import { writerLimits, type ExportDefinition, type ExportRecord } from './export-record.js';

/** Ends a rule in the column of the allowed clients: neither database has lists. */
const LINE_END = '\n';

export function toExportRecord(row: Export): ExportRecord {
  const { blockSizeMinimum, blockSizePreferred, payloadMaximum, blockSizeRequired, ...others } = row;
  const { allowedClients, iops, bytesPerSecond, burstMs, ...rest } = others;
  const { chunkMap: map, chunkField: field, chunkAllocator: allocator, ...same } = rest;
  const writers = writerLimits.find((one) => one === row.writers);
  assert(writers !== undefined, `the export ${row.id} is for the unknown writers ${row.writers}`);
  return {
    ...same,
    writers,
    allowedClients: allowedClients === '' ? [] : allowedClients.split(LINE_END),
    blockSize: {
      minimum: blockSizeMinimum,
      preferred: blockSizePreferred,
      payloadMaximum,
      required: blockSizeRequired,
    },
    rateLimit: { iops, bytesPerSecond, burstMs },
    ...(map !== null && field !== null && allocator !== null && { chunks: { map, field, allocator } }),
  };
}

/** All columns that a definition has; what else an object carries stays out. */
export function toExportRow(definition: ExportDefinition): Omit<Export, 'createTime' | 'rateRevision'> {
  const { id, deviceId, readOnly, description, transient, hidden, tlsRequired } = definition;
  const { allowedClients, connectionsMax, clientConnectionsMax, writers, blockSize, rateLimit, chunks } =
    definition;
  assert(
    allowedClients.every((rule) => rule !== '' && !rule.includes(LINE_END)),
    'a rule about clients is one line',
  );
  return {
    ...{ id, deviceId, readOnly, description, transient, hidden, tlsRequired },
    allowedClients: allowedClients.join(LINE_END),
    connectionsMax,
    clientConnectionsMax,
    writers,
    blockSizeMinimum: blockSize.minimum,
    blockSizePreferred: blockSize.preferred,
    payloadMaximum: blockSize.payloadMaximum,
    blockSizeRequired: blockSize.required,
    ...{ iops: rateLimit.iops, bytesPerSecond: rateLimit.bytesPerSecond, burstMs: rateLimit.burstMs },
    chunkMap: chunks?.map ?? null,
    chunkField: chunks?.field ?? null,
    chunkAllocator: chunks?.allocator ?? null,
  };
}
