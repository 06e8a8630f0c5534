import type { AttachmentRecord } from '../attachment/attachment-record.js';
import type { DeviceBacking } from './device-backing.js';

/** What the user says of a device; it never changes while the device exists. */
export interface DeviceDefinition {
  /** Last segment of `devices/{device}`, checked by `checkResourceId`. */
  readonly id: string;
  readonly backing: DeviceBacking;
  readonly readOnly: boolean;
  /** Forgotten at the next start of `holdfast serve` unless given again. */
  readonly transient: boolean;
}

/** A registered device. */
export interface DeviceRecord extends DeviceDefinition {
  /** Whether the device should be attached; restored after a restart. */
  readonly wantedAttached: boolean;
  /** The latest attachment; absent before the first. */
  readonly attachment?: AttachmentRecord;
  readonly createTime: Date;
}
