import { messageOf } from '@holdfast/foundation';
import type { NbdConnection, NbdUri } from '@holdfast/nbd-client';
import { TransmissionFlag } from '@holdfast/nbd-protocol';
import { printNote } from '../../../output/print.js';
import { connectTo } from '../../connect-to.js';
import { FURTHER_CONNECTION_MS } from '../limits.js';
import { refused } from './refused.js';

/** How connections are used. */
export interface ConnectionPlan {
  /** Requests in flight on each. */
  readonly requests: number;
  /** Metadata contexts to select where the server has them. */
  readonly metaContexts: readonly string[];
  readonly json: boolean;
}

/** Connects to an export. */
export function firstConnection(
  uri: NbdUri,
  { requests, metaContexts }: ConnectionPlan,
): Promise<NbdConnection> {
  return connectTo(uri, { inFlightMax: requests, metaContexts });
}

/** Whether a flush on one connection speaks for the others, so that a copy may use several. */
export function allowsSeveral({ exportInfo }: NbdConnection): boolean {
  return (exportInfo.transmissionFlags & TransmissionFlag.CAN_MULTI_CONN) !== 0;
}

/**
 * Connects to an export again, until there are `count` connections. One that the server does not give is done without.
 *
 * @returns all, with the first one in front
 */
export async function furtherConnections(
  uri: NbdUri,
  first: NbdConnection,
  count: number,
  { requests, metaContexts, json }: ConnectionPlan,
): Promise<readonly NbdConnection[]> {
  const connect = () =>
    connectTo(uri, { inFlightMax: requests, metaContexts, answerMs: FURTHER_CONNECTION_MS });
  const attempts = await Promise.allSettled(Array.from({ length: count - 1 }, connect));
  const further = attempts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const all = [first, ...further];
  const failed = attempts.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    printNote(
      `the copy goes on with ${String(all.length)} of ${String(count)} connections: ${messageOf(failed.reason)}`,
      json,
    );
  }
  if (further.every((one) => one.exportInfo.sizeBytes === first.exportInfo.sizeBytes)) return all;
  abandonAll(all);
  throw refused('the NBD server told another size to each connection: repeat once the export is left alone');
}

/** Says goodbye on all; a server that is gone does not matter any more. */
export async function closeAll(connections: readonly NbdConnection[]): Promise<void> {
  await Promise.all(connections.map((one) => one.disconnect()));
}

/** Closes all at once. */
export function abandonAll(connections: readonly NbdConnection[]): void {
  for (const one of connections) one.destroy();
}
