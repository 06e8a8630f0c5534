import { baseAllocation, TransmissionFlag, type UpstreamOffer } from '@holdfast/nbd-protocol';
import type { NbdConnection } from '../nbd-connection.js';

/** Flags that depend on how replies look, and hints: what we offer does not depend on them. */
const OF_NO_MATTER =
  TransmissionFlag.SEND_DF | TransmissionFlag.BLOCK_STATUS_PAYLOAD | TransmissionFlag.ROTATIONAL;

/** What the server of a connection offers of its export. */
export function upstreamOffer({ exportInfo, blockSize, metaContexts }: NbdConnection): UpstreamOffer {
  return {
    transmissionFlags: exportInfo.transmissionFlags,
    blockSize,
    baseAllocation: metaContexts.some(({ name }) => name === baseAllocation.name),
  };
}

/** An export, as it was and as it is. */
export interface OfferedExport {
  readonly sizeBytes: bigint;
  readonly offer: UpstreamOffer;
}

/**
 * What keeps an export from taking the place of the one that it was, in words that follow "it"; undefined when nothing does.
 * NBD tells no identity, so this is all that can be compared: the size, and that it can all that it could. Without
 * `base:allocation` everything may count as data, and a smaller maximum payload means smaller pieces, so these may change.
 */
export function offerFault(was: OfferedExport, is: OfferedExport): string | undefined {
  if (is.sizeBytes !== was.sizeBytes) {
    return `has ${is.sizeBytes} bytes, and had ${was.sizeBytes} when it was attached`;
  }
  const [had, has] = [was.offer.transmissionFlags, is.offer.transmissionFlags];
  if ((has & ~had & TransmissionFlag.READ_ONLY) !== 0) {
    return 'can only be read now, and could be written when it was attached';
  }
  const missing = had & ~has & ~OF_NO_MATTER & ~TransmissionFlag.READ_ONLY;
  if (missing !== 0) {
    return `does not offer ${namesOf(missing).join(', ')} any more, as it did when it was attached`;
  }
  const [minimumWas, minimumIs] = [was.offer.blockSize.minimum, is.offer.blockSize.minimum];
  if (minimumIs > minimumWas) {
    return `has a minimum block size of ${String(minimumIs)} bytes, and had ${String(minimumWas)} when it was attached`;
  }
  return undefined;
}

function namesOf(flags: number): string[] {
  return Object.entries(TransmissionFlag).flatMap(([name, flag]) => ((flags & flag) === 0 ? [] : [name]));
}
