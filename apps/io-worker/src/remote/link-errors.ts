import { HoldfastError } from '@holdfast/foundation';
import {
  NbdConnectionClosedError,
  NbdConnectionLostError,
  NbdReplyError,
  NbdRequestError,
} from '@holdfast/nbd-client';
import { Errno } from '@holdfast/linux';
import { NbdError } from '@holdfast/nbd-protocol';

/** The server did not come back as long as a request may wait for it, or its link was closed. */
export class UpstreamAwayError extends HoldfastError {
  constructor(why: string, cause?: unknown) {
    super('NBD_CONNECTION_LOST', `the NBD server is away: ${why}`, {}, cause);
  }
}

/** Writes that were answered may be lost with the connection, so a FLUSH cannot say that they are on stable storage. */
export class FlushInDoubtError extends HoldfastError {
  constructor() {
    super('NBD_CONNECTION_LOST', 'writes were answered and not flushed when the connection was lost');
  }
}

/**
 * Whether an error says that the connection is over and the request was not answered. A server that is being shut down
 * refuses a request unserved, and its connection ends.
 */
export function isLoss(error: unknown): boolean {
  return (
    error instanceof NbdConnectionLostError ||
    error instanceof NbdConnectionClosedError ||
    (error instanceof NbdReplyError && error.errorName === 'ESHUTDOWN')
  );
}

/**
 * The Linux errno for a request that failed: the server's own error, EINVAL for what it would not take, else EIO.
 */
export function errnoOf(error: unknown): number {
  if (error instanceof NbdReplyError && error.errorName !== 'ESHUTDOWN') return NbdError[error.errorName];
  return error instanceof NbdRequestError ? Errno.EINVAL : Errno.EIO;
}

/** Whether an attempt to connect has found another export than the one that was attached. */
export function isAnotherExport(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'DEVICE_IDENTITY_MISMATCH';
}
