import { workerV1 } from '@holdfast/contracts';
import type { OwnedFd } from '@holdfast/linux';
import type { Holding } from '../holding/holding.js';
import type { RateShare } from '../rate/rate-accounts.js';
import { parseRateShare } from '../rate/rate-message.js';
import { parseFacts } from '../session/session-facts.js';
import { toSessionMessage } from '../session/session-message.js';
import type { SessionRest } from '../session/session-rest.js';
import type { Session, SessionDefinition } from '../session/session.js';

/** A session at rest, as its successor is told of it. */
export function toHandedSession(
  session: Session,
  rate: RateShare | undefined,
  token: Uint8Array,
): workerV1.HandedSession {
  return {
    session: toSessionMessage(session, rate),
    token: Buffer.from(token),
    transmissionFlags: session.definition.facts.transmissionFlags,
    stopping: session.control.stopping,
    assumesPayloads: session.control.assumesPayloads,
  };
}

/** What was negotiated for a session that was handed over: what its client was told is what is enforced (T5). */
export function toDefinition(
  { session = workerV1.Session.fromPartial({}), transmissionFlags }: workerV1.HandedSession,
  holding: Holding,
): SessionDefinition {
  return {
    name: session.name,
    exportName: session.export,
    holding,
    lease: session.lease,
    readOnly: session.readOnly,
    clientAddress: session.clientAddress,
    tls: session.tls,
    startTime: session.startTime ?? new Date(),
    facts: { ...parseFacts(session, holding), transmissionFlags },
    rate: session.rateLimit && parseRateShare(session.rateLimit, 'session.rate_limit'),
  };
}

export function toRest(
  { session, stopping, assumesPayloads }: workerV1.HandedSession,
  socket: OwnedFd,
  undecoded: Uint8Array,
): SessionRest {
  const { requests, bytesRead, bytesWritten, errors, lastRequestTime } =
    session?.counters ?? workerV1.SessionCounters.fromPartial({});
  return {
    socket,
    undecoded,
    stopping,
    assumesPayloads,
    counters: {
      requests: Number(requests),
      bytesRead: Number(bytesRead),
      bytesWritten: Number(bytesWritten),
      errors: Number(errors),
      lastRequestMs: lastRequestTime?.getTime() ?? 0,
    },
  };
}
