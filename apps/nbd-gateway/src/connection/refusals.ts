import { HoldfastError, messageOf, type ErrorCode } from '@holdfast/foundation';
import type { RefusalReason } from '@holdfast/nbd-protocol';

/** What a client is told of an error; every other error is our failure. */
const reasons: Partial<Record<ErrorCode, RefusalReason>> = {
  EXPORT_NOT_FOUND: 'unknown',
  DEVICE_NOT_FOUND: 'unavailable',
  DEVICE_NOT_ATTACHED: 'unavailable',
  MAP_NOT_FOUND: 'unavailable',
  ALLOCATOR_NOT_FOUND: 'unavailable',
  TLS_REQUIRED: 'tls-required',
  CLIENT_NOT_ALLOWED: 'policy',
  LIMIT_REACHED: 'policy',
  LEASE_CONFLICT: 'policy',
  SHUTTING_DOWN: 'shutdown',
};

/** How an error is put to a client (N12). */
export interface ClientRefusal {
  readonly reason: RefusalReason;
  readonly message: string;
  /** It failed on our side, which the log has to say. */
  readonly isOurs: boolean;
}

export function refusalOf(error: unknown): ClientRefusal {
  const reason = error instanceof HoldfastError ? reasons[error.code] : undefined;
  if (reason !== undefined) return { reason, message: messageOf(error), isOurs: false };
  // Law 8: where our sockets stand and what failed behind them is not for whoever may connect.
  const message = 'the server cannot serve this now; its log says why';
  return { reason: 'platform', message, isOurs: true };
}
