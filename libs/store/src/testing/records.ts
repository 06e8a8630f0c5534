import { byteCount, type BootId, type Diskseq } from '@holdfast/foundation';
import type { DeviceIdentity } from '@holdfast/lease';
import type { AttachmentRecord, IdentifiedDevice } from '../attachment/attachment-record.js';
import type { DeviceDefinition } from '../device/device-record.js';
import type { ExportDefinition } from '../export/export-record.js';
import type { LeaseRequest } from '../lease/lease-record.js';
import type { Store } from '../store.js';

export const SIZE_BYTES = byteCount(1 << 20);

export function deviceOf(id: string, change: Partial<DeviceDefinition> = {}): DeviceDefinition {
  return {
    id,
    backing: { kind: 'file', path: `/images/${id}` },
    readOnly: false,
    transient: false,
    ...change,
  };
}

/** The identity of a block device, another for each `minor`. */
export function identityOf(minor: number): DeviceIdentity {
  return {
    bootId: '00000000-0000-4000-8000-000000000000' as BootId,
    major: 7,
    minor,
    inode: 0n,
    diskseq: 42n as Diskseq,
  };
}

/** An export of device `a`, as open as an export can be. */
export function exportOf(id: string, change: Partial<ExportDefinition> = {}): ExportDefinition {
  return {
    id,
    deviceId: 'a',
    readOnly: false,
    description: '',
    transient: false,
    hidden: false,
    tlsRequired: false,
    allowedClients: [],
    connectionsMax: 0,
    clientConnectionsMax: 0,
    writers: 'ANY',
    blockSize: { minimum: 1, preferred: 4096, payloadMaximum: 32 * 1024 * 1024, required: false },
    rateLimit: { iops: 0, bytesPerSecond: 0n, burstMs: 1000 },
    ...change,
  };
}

export function leaseOf(deviceId: string, session: string, change: Partial<LeaseRequest> = {}): LeaseRequest {
  return { deviceId, access: 'READ_WRITE', clientGroup: '', session, workerInstance: 'worker-1', ...change };
}

/** What a registry records of the open device. */
export function identified(identity: DeviceIdentity, verified = true): IdentifiedDevice {
  return { identity, sizeBytes: SIZE_BYTES, verified };
}

let minors = 0;

/** Registers a device and attaches it. */
export async function attach(
  store: Store,
  id: string,
  change: Partial<DeviceDefinition> = {},
): Promise<AttachmentRecord> {
  await store.devices.create(deviceOf(id, change));
  return reattach(store, id);
}

/** Attaches a device that is not attached. */
export async function reattach(store: Store, id: string): Promise<AttachmentRecord> {
  const { attachment } = await store.attachments.begin(id);
  minors += 1;
  await store.attachments.recordIdentity(attachment.id, identified(identityOf(minors)));
  return store.attachments.transition(attachment.id, 'ATTACHING', 'CONNECTED');
}
