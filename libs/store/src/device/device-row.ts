import { toAttachmentRecord } from '../attachment/attachment-row.js';
import type { Attachment, Device } from '../generated/sqlite/client.js';
import { toBacking } from './backing-columns.js';
import { reattachments, type DeviceRecord } from './device-record.js';

/** What a query for devices must include. */
export const withAttachment = { attachment: true } as const;

type DeviceRow = Device & { readonly attachment: Attachment | null };

export function toDeviceRecord(row: DeviceRow): DeviceRecord {
  const { id, readOnly, transient, wantedAttached, createTime, attachment } = row;
  return {
    id,
    backing: toBacking(row),
    readOnly,
    transient,
    reattachment: reattachments.find((one) => one === row.reattachment) ?? 'MANUAL',
    wantedAttached,
    createTime,
    ...(attachment !== null && { attachment: toAttachmentRecord(attachment) }),
  };
}
