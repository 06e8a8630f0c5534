import { toIdentityMessage, type workerV1 } from '@holdfast/contracts';
import type { Holding } from './holding.js';

export function toHoldingMessage(holding: Holding): workerV1.Holding {
  return {
    attachment: holding.attachment,
    epoch: holding.epoch,
    device:
      holding.kind === 'remote'
        ? { $case: 'remote', value: holding.remote.message }
        : { $case: 'identity', value: toIdentityMessage(holding.identity) },
    sizeBytes: BigInt(holding.sizeBytes),
    readOnly: holding.readOnly,
  };
}
