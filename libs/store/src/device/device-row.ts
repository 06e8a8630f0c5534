import { assert } from '@holdfast/foundation';
import { toAttachmentRecord } from '../attachment/attachment-row.js';
import type { Attachment, Device } from '../generated/sqlite/client.js';
import type { DeviceRecord } from './device-record.js';

/** What a query for devices must include. */
export const withAttachment = { attachment: true } as const;

type DeviceRow = Device & { readonly attachment: Attachment | null };

export function toDeviceRecord(row: DeviceRow): DeviceRecord {
  const { id, kind, path, readOnly, transient, wantedAttached, createTime, attachment } = row;
  assert(kind === 'file', `the device ${id} is of the unknown kind ${kind}`);
  return {
    id,
    kind,
    path,
    readOnly,
    transient,
    wantedAttached,
    createTime,
    ...(attachment !== null && { attachment: toAttachmentRecord(attachment) }),
  };
}
