import type { workerV1 } from '@holdfast/contracts';
import { HoldfastError, type ByteCount } from '@holdfast/foundation';
import { advertisedFlags, type TransmissionFacts } from '@holdfast/nbd-protocol';

const BLOCK_SIZE_MINIMUM_MAX = 65_536;

/** The session as the protocol machine sees it, checked: what was advertised to the client is what is enforced (T5). */
export function parseFacts(
  session: workerV1.Session,
  sizeBytes: ByteCount,
  readOnly: boolean,
): TransmissionFacts {
  const { blockSizeMinimum, payloadMaximum } = session;
  const powerOfTwo = blockSizeMinimum > 0 && (blockSizeMinimum & (blockSizeMinimum - 1)) === 0;
  if (!powerOfTwo || blockSizeMinimum > BLOCK_SIZE_MINIMUM_MAX) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `block_size_minimum must be a power of two up to 64 KiB, is ${String(blockSizeMinimum)}`,
      { field: 'session.block_size_minimum' },
    );
  }
  if (payloadMaximum < blockSizeMinimum) {
    throw new HoldfastError('INVALID_ARGUMENT', 'payload_maximum must be at least block_size_minimum', {
      field: 'session.payload_maximum',
    });
  }
  return { sizeBytes, transmissionFlags: advertisedFlags({ readOnly }), blockSizeMinimum, payloadMaximum };
}
