import { HoldfastError } from '@holdfast/foundation';

/** Why a request was refused by this client, before anything was sent: stable, for programs. */
export type RequestFault =
  | 'not-negotiated'
  | 'not-offered'
  | 'read-only'
  | 'zero-length'
  | 'out-of-range'
  | 'misaligned'
  | 'too-long'
  | 'unknown-context'
  | 'needs-64-bits'
  | 'not-a-number'
  | 'bad-payload'
  | 'bad-name';

/** A request does not keep to what was negotiated; nothing was sent. */
export class NbdRequestError extends HoldfastError {
  readonly fault: RequestFault;

  constructor(fault: RequestFault, message: string) {
    super('NBD_REQUEST_INVALID', message, { fault });
    this.fault = fault;
  }
}
