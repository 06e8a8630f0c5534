import type { RemoteExport } from './generated/holdfast/registry/v1/remote.js';

/** What another NBD server offers of an export, whoever tells it: the server, or a record. */
export interface RemoteOfferFields {
  readonly transmissionFlags: number;
  readonly blockSize: {
    readonly minimum: number;
    readonly preferred: number;
    readonly payloadMaximum: number;
  };
  readonly baseAllocation: boolean;
}

/** An offer as the contracts of registry and worker write it. */
export function toRemoteMessage({
  transmissionFlags,
  blockSize,
  baseAllocation,
}: RemoteOfferFields): RemoteExport {
  return {
    transmissionFlags,
    blockSizeMinimum: blockSize.minimum,
    blockSizePreferred: blockSize.preferred,
    payloadMaximum: blockSize.payloadMaximum,
    baseAllocation,
  };
}

/** The offer that a message carries. */
export function fromRemoteMessage(message: RemoteExport): RemoteOfferFields {
  const { transmissionFlags, blockSizeMinimum, blockSizePreferred, payloadMaximum, baseAllocation } = message;
  const blockSize = { minimum: blockSizeMinimum, preferred: blockSizePreferred, payloadMaximum };
  return { transmissionFlags, blockSize, baseAllocation };
}
