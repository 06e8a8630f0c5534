import type { LeaseEpoch } from '@holdfast/foundation';
import type { DeviceIdentity, OwnedFd } from '@holdfast/linux';

/** A device in the worker's hands, from AdoptDevice to ReleaseDevice. */
export interface Holding {
  /** `devices/{device}/attachments/{attachment}` */
  readonly attachment: string;
  readonly epoch: LeaseEpoch;
  readonly identity: DeviceIdentity;
  readonly fd: OwnedFd;
  /** The descriptor was opened for reading only. */
  readonly readOnly: boolean;
}
