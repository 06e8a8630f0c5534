import { HoldfastError, messageOf } from '@holdfast/foundation';

/** The stream ended, or failed, while something was expected of it. Whether a request was carried out is not known. */
export class NbdConnectionLostError extends HoldfastError {
  constructor(what: string, cause?: unknown) {
    const reason = cause === undefined ? '' : `: ${messageOf(cause)}`;
    super('NBD_CONNECTION_LOST', `the connection to the NBD server was lost ${what}${reason}`, {}, cause);
  }
}

/** A request came after the connection was closed, or while it was being closed. */
export class NbdConnectionClosedError extends HoldfastError {
  constructor() {
    super('NBD_CONNECTION_CLOSED', 'the connection to the NBD server is closed: connect again');
  }
}
