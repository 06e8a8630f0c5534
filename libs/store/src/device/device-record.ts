import type { AttachmentRecord } from '../attachment/attachment-record.js';
import type { DeviceBacking } from './device-backing.js';

/** Whether a device that should be attached, and that nobody holds any more, is attached again by itself. */
export const reattachments = ['AUTOMATIC', 'MANUAL'] as const;

export type Reattachment = (typeof reattachments)[number];

/** What the user says of a device; it never changes while the device exists. */
export interface DeviceDefinition {
  /** Last segment of `devices/{device}`, checked by `checkResourceId`. */
  readonly id: string;
  readonly backing: DeviceBacking;
  readonly readOnly: boolean;
  /** Forgotten at the next start of `holdfast serve` unless given again. */
  readonly transient: boolean;
  /** AUTOMATIC when absent. */
  readonly reattachment?: Reattachment;
}

/** A registered device. */
export interface DeviceRecord extends DeviceDefinition {
  readonly reattachment: Reattachment;
  /** Whether the device should be attached; restored after a restart. */
  readonly wantedAttached: boolean;
  /** The latest attachment; absent before the first. */
  readonly attachment?: AttachmentRecord;
  readonly createTime: Date;
}
