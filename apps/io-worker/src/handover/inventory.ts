import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { fromServiceError, type workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';

/** Everything that there is to take over. */
export interface Inventory {
  readonly devices: readonly workerV1.HandedDevice[];
  readonly sessions: readonly workerV1.HandedSession[];
  readonly summary: workerV1.HandoverSummary;
}

/**
 * Reads all items up to the summary, and leaves the stream open.
 *
 * @param address of the worker, for errors
 * @throws HoldfastError as the worker says; SERVICE_UNAVAILABLE when there is none
 */
export function readInventory(
  stream: ClientReadableStream<workerV1.HandoverItem>,
  address: string,
): Promise<Inventory> {
  const devices: workerV1.HandedDevice[] = [];
  const sessions: workerV1.HandedSession[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', ({ item }: workerV1.HandoverItem) => {
      switch (item?.$case) {
        case 'device':
          devices.push(item.value);
          break;
        case 'session':
          sessions.push(item.value);
          break;
        case 'summary':
          resolve({ devices, sessions, summary: item.value });
          break;
        case undefined:
          // Of a kind that only later workers know: what cannot be taken over must not be left behind.
          reject(
            new HoldfastError('UPGRADE_FAILED', 'the worker has something that this version does not know'),
          );
          break;
      }
    });
    // Also of the end that comes after the summary, which the calls that follow tell of as well.
    stream.on('error', (error) => {
      reject(fromServiceError(error as ServiceError, address));
    });
    stream.on('end', () => {
      reject(new HoldfastError('UPGRADE_FAILED', 'the worker ended before it had told everything'));
    });
  });
}
