import type { workerV1 } from '@holdfast/contracts';
import type { RateShare } from '../rate/rate-accounts.js';
import { toRateMessage } from '../rate/rate-message.js';
import { toReplyModeMessage } from './session-facts.js';
import type { Session } from './session.js';

/** @param rate what its account may take now */
export function toSessionMessage(session: Session, rate: RateShare | undefined): workerV1.Session {
  const { definition, state, control } = session;
  const { requests, bytesRead, bytesWritten, errors, lastRequestMs } = control.counters;
  return {
    name: definition.name,
    export: definition.exportName,
    attachment: definition.holding.attachment,
    lease: definition.lease,
    epoch: definition.holding.epoch,
    readOnly: definition.readOnly,
    clientAddress: definition.clientAddress,
    blockSizeMinimum: definition.facts.blockSizeMinimum,
    payloadMaximum: definition.facts.payloadMaximum,
    startTime: definition.startTime,
    engine: state.kind === 'serving' ? state.engine : '',
    counters: {
      requests: BigInt(requests),
      bytesRead: BigInt(bytesRead),
      bytesWritten: BigInt(bytesWritten),
      errors: BigInt(errors),
      lastRequestTime: lastRequestMs === 0 ? undefined : new Date(lastRequestMs),
    },
    replyMode: toReplyModeMessage(definition.facts.replyMode),
    tls: definition.tls,
    sizeBytes: BigInt(definition.facts.sizeBytes),
    rateLimit: rate && toRateMessage(rate),
    chunks: session.chunks && {
      ...session.chunks.source,
      offset: BigInt(session.chunks.source.offset),
      epoch: session.chunks.epoch,
    },
    metaContexts: definition.facts.metaContexts.map(({ id, name }) => ({ id, name })),
  };
}
