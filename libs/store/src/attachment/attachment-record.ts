import type { ByteCount, LeaseEpoch } from '@holdfast/foundation';
import type { AttachmentState, DeviceIdentity } from '@holdfast/lease';
import type { UpstreamOffer } from '@holdfast/nbd-protocol';

/** The latest period in which a device is, or was, open. */
export interface AttachmentRecord {
  /** Last segment of `devices/{device}/attachments/{attachment}`; short, random, never used twice. */
  readonly id: string;
  readonly deviceId: string;
  readonly state: AttachmentState;
  /** Rises by one with every attachment of the device. */
  readonly epoch: LeaseEpoch;
  /** Read on the open descriptor; absent until it was opened, and for an export of another NBD server. */
  readonly identity?: DeviceIdentity;
  /** What another NBD server offers of its export; absent for other devices, and until it was asked. */
  readonly remote?: UpstreamOffer;
  /** Whether it was compared with what somebody expected of it, or cannot be another one than was meant. */
  readonly verified: boolean;
  /** Size when it was opened or asked for; 0 until then. */
  readonly sizeBytes: ByteCount;
  /** Size as it was last noted: a device may grow and shrink. */
  readonly currentSizeBytes: ByteCount;
  /** Code and sentence when the state is FAILED, or why the device is not attached again by itself; else empty. */
  readonly errorReason: string;
  readonly errorMessage: string;
  /** When the state last changed. */
  readonly updateTime: Date;
}

/** Who an attached device is, read on its open descriptor. */
export interface IdentifiedDevice {
  readonly identity: DeviceIdentity;
  readonly sizeBytes: ByteCount;
  readonly verified: boolean;
}

/** What another NBD server has told of its export. */
export interface OfferedRemote {
  readonly remote: UpstreamOffer;
  readonly sizeBytes: ByteCount;
}

/** Answer of `begin`. */
export type BeginResult =
  /** A new attachment was written; the caller opens the device. */
  | { readonly kind: 'attaching'; readonly attachment: AttachmentRecord }
  /** The device is attached already; nothing to do. */
  | { readonly kind: 'connected'; readonly attachment: AttachmentRecord };

/** Answer of `beginDetach`. */
export type BeginDetachResult =
  /** No lease is live and none will be granted; the caller takes the device back from the worker. */
  | { readonly kind: 'detaching'; readonly attachment: AttachmentRecord }
  /** The device is not attached; nothing to do. */
  | { readonly kind: 'detached' };

/** What a transition writes besides the state. */
export interface TransitionPatch {
  /** A code of the error catalogue, with FAILED. */
  readonly errorReason?: string;
  readonly errorMessage?: string;
  /** Also says, in the same transaction, whether the device should be attached. */
  readonly wantedAttached?: boolean;
}
