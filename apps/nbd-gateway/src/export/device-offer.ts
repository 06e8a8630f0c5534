import { fromRemoteMessage, type registryV1 } from '@holdfast/contracts';
import {
  baseAllocation,
  contextDefinitions,
  TransmissionFlag,
  type BlockSize,
  type ContextDefinition,
  type UpstreamOffer,
} from '@holdfast/nbd-protocol';

/** What a device lets its exports offer. */
export interface DeviceOffer {
  /** It can only be read: it is registered so, or another NBD server offers it so. */
  readonly readOnly: boolean;
  /** What that server offers, if the device is an export of one. */
  readonly upstream: UpstreamOffer | undefined;
  /** The attachment of which this was told, `devices/{device}/attachments/{attachment}`. */
  readonly attachment: string | undefined;
}

export function deviceOffer({ readOnly, attachment }: registryV1.Device): DeviceOffer {
  const upstream = attachment?.remote === undefined ? undefined : fromRemoteMessage(attachment.remote);
  const upstreamFlags = upstream?.transmissionFlags ?? 0;
  return {
    readOnly: readOnly || (upstreamFlags & TransmissionFlag.READ_ONLY) !== 0,
    upstream,
    attachment: attachment?.name,
  };
}

/**
 * The block sizes of an export: what it says, and no smaller than what the server behind its device says. What is longer than
 * that server takes in one piece, we split.
 */
export function effectiveBlockSize(wanted: BlockSize, upstream: UpstreamOffer | undefined): BlockSize {
  if (upstream === undefined) return wanted;
  const minimum = Math.max(wanted.minimum, upstream.blockSize.minimum);
  const payloadMaximum = Math.max(wanted.payloadMaximum, minimum);
  const efficient = Math.max(wanted.preferred, upstream.blockSize.preferred);
  return { minimum, preferred: efficient <= payloadMaximum ? efficient : minimum, payloadMaximum };
}

/** The metadata contexts of a device. How deep the layers of another server are, we do not know. */
export function contextsOf({ upstream }: DeviceOffer): readonly ContextDefinition[] {
  if (upstream === undefined) return contextDefinitions;
  return upstream.baseAllocation ? [baseAllocation] : [];
}
