import { assert } from '@holdfast/foundation';
import type { NbdConnection } from '@holdfast/nbd-client';
import { AllocationState } from '@holdfast/nbd-protocol';
import type { CopySource, SourceExtent } from './copy-end.js';
import { abandonAll, closeAll } from './nbd-connections.js';

const CONTEXT = 'base:allocation';

/** An export to copy from. Where its server does not tell of holes, all of it is data. */
export function nbdSource(name: string, connections: readonly NbdConnection[]): CopySource {
  const [first] = connections;
  assert(first !== undefined, 'an export is reached by a connection');
  const tellsExtents = first.metaContexts.some((context) => context.name === CONTEXT);
  return {
    name,
    sizeBytes: first.exportInfo.sizeBytes,
    blockBytes: first.blockSize.minimum,
    transferBytesMax: first.blockSize.payloadMaximum,
    connections: connections.length,
    extents: (offset, length) => (tellsExtents ? extentsOf(first, offset, length) : allData(offset, length)),
    read: (target, offset, connection) => at(connections, connection).readInto(target, offset),
    close: () => closeAll(connections),
    abandon: () => {
      abandonAll(connections);
    },
  };
}

/** The connection of a number that may be larger than their count. */
export function at(connections: readonly NbdConnection[], number: number): NbdConnection {
  const connection = connections[number % connections.length];
  assert(connection !== undefined, 'there is at least one connection');
  return connection;
}

async function* extentsOf(
  connection: NbdConnection,
  offset: bigint,
  length: bigint,
): AsyncGenerator<SourceExtent, undefined> {
  for await (const extent of connection.extents(CONTEXT, offset, length)) {
    // A hole that is not ZERO reads as anything, so it is read.
    const isZero = (extent.flags & BigInt(AllocationState.ZERO)) !== 0n;
    yield { offset: extent.offset, length: extent.length, isZero };
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- as asynchronous as the other
async function* allData(offset: bigint, length: bigint): AsyncGenerator<SourceExtent, undefined> {
  yield { offset, length, isZero: false };
}
