import { attachmentName, deviceName, registryV1, toIdentityMessage } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { AttachmentState } from '@holdfast/lease';
import type { AttachmentRecord, DeviceDefinition, DeviceRecord } from '@holdfast/store';
import path from 'node:path';

/** PATH_MAX without its closing NUL (path_resolution(7)). */
const PATH_BYTES_MAX = 4095;

const { Attachment_State: StateCode } = registryV1;

const stateCodes: Readonly<Record<AttachmentState, registryV1.Attachment_State>> = {
  ATTACHING: StateCode.STATE_ATTACHING,
  CONNECTED: StateCode.STATE_CONNECTED,
  DETACHING: StateCode.STATE_DETACHING,
  RELEASED: StateCode.STATE_RELEASED,
  FAILED: StateCode.STATE_FAILED,
  LOST: StateCode.STATE_LOST,
};

export function toDeviceMessage(device: DeviceRecord): registryV1.Device {
  return {
    name: deviceName.format(device.id),
    backing: { $case: 'file', value: { path: device.path } },
    readOnly: device.readOnly,
    transient: device.transient,
    wantedAttached: device.wantedAttached,
    attachment: device.attachment === undefined ? undefined : toAttachmentMessage(device.attachment),
    createTime: device.createTime,
  };
}

function toAttachmentMessage(attachment: AttachmentRecord): registryV1.Attachment {
  return {
    name: attachmentName.format(attachment.deviceId, attachment.id),
    state: stateCodes[attachment.state],
    epoch: attachment.epoch,
    identity: attachment.identity === undefined ? undefined : toIdentityMessage(attachment.identity),
    sizeBytes: BigInt(attachment.sizeBytes),
    errorReason: attachment.errorReason,
    errorMessage: attachment.errorMessage,
    updateTime: attachment.updateTime,
  };
}

/** @throws HoldfastError INVALID_ARGUMENT naming the field */
export function parseDevice(request: registryV1.CreateDeviceRequest): DeviceDefinition {
  const id = deviceName.parse(deviceName.format(request.deviceId), 'device_id');
  const backing = request.device?.backing;
  if (backing === undefined) throw invalid('device.file', 'must be given');
  const { path: location } = backing.value;
  if (!path.isAbsolute(location))
    throw invalid('device.file.path', `must be an absolute path, is "${location}"`);
  if (location.includes('\0')) throw invalid('device.file.path', 'must not contain NUL');
  if (Buffer.byteLength(location) > PATH_BYTES_MAX)
    throw invalid('device.file.path', `must be at most ${String(PATH_BYTES_MAX)} bytes`);
  return {
    id,
    kind: 'file',
    path: location,
    readOnly: request.device?.readOnly ?? false,
    transient: request.device?.transient ?? false,
  };
}

function invalid(field: string, problem: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${field} ${problem}`, { field });
}
