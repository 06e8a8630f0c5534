import type { ByteCount, LeaseEpoch } from '@holdfast/foundation';
import type { DeviceIdentity, OwnedFd } from '@holdfast/linux';
import type { DirectAccess } from '../direct/direct-access.js';
import type { RemoteDevice } from '../remote/remote-device.js';

interface HeldDevice {
  /** `devices/{device}/attachments/{attachment}` */
  readonly attachment: string;
  readonly epoch: LeaseEpoch;
  readonly sizeBytes: ByteCount;
  /** It cannot be written: it was opened so, or another server offers it so. */
  readonly readOnly: boolean;
}

/** A descriptor in the worker's hands. */
export interface DescriptorHolding extends HeldDevice {
  readonly kind: 'descriptor';
  readonly identity: DeviceIdentity;
  readonly fd: OwnedFd;
  /** How it is read and written past the page cache, if it was opened so. */
  readonly direct: DirectAccess | undefined;
}

/** An export of another NBD server, to which each session connects. */
export interface RemoteHolding extends HeldDevice {
  readonly kind: 'remote';
  readonly remote: RemoteDevice;
}

/** A device in the worker's hands, from AdoptDevice to ReleaseDevice. */
export type Holding = DescriptorHolding | RemoteHolding;
