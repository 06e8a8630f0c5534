import {
  attachmentName,
  deviceName,
  registryV1,
  toIdentityMessage,
  toRemoteMessage,
} from '@holdfast/contracts';
import type { AttachmentState } from '@holdfast/lease';
import { HoldfastError } from '@holdfast/foundation';
import type { AttachmentRecord, DeviceDefinition, DeviceRecord, Reattachment } from '@holdfast/store';
import { parseBacking, toBackingMessage } from './backing-message.js';

const {
  Attachment_State: StateCode,
  Attachment_Verification: Verification,
  Device_Reattachment: ReattachmentCode,
} = registryV1;

const stateCodes: Readonly<Record<AttachmentState, registryV1.Attachment_State>> = {
  ATTACHING: StateCode.STATE_ATTACHING,
  CONNECTED: StateCode.STATE_CONNECTED,
  DRAINING: StateCode.STATE_DRAINING,
  DETACHING: StateCode.STATE_DETACHING,
  RELEASED: StateCode.STATE_RELEASED,
  FAILED: StateCode.STATE_FAILED,
  LOST: StateCode.STATE_LOST,
};

const reattachmentCodes: Readonly<Record<Reattachment, registryV1.Device_Reattachment>> = {
  AUTOMATIC: ReattachmentCode.REATTACHMENT_AUTOMATIC,
  MANUAL: ReattachmentCode.REATTACHMENT_MANUAL,
};

export function toDeviceMessage(device: DeviceRecord): registryV1.Device {
  return {
    name: deviceName.format(device.id),
    backing: toBackingMessage(device.backing),
    readOnly: device.readOnly,
    transient: device.transient,
    wantedAttached: device.wantedAttached,
    attachment: device.attachment === undefined ? undefined : toAttachmentMessage(device.attachment),
    createTime: device.createTime,
    reattachment: reattachmentCodes[device.reattachment],
  };
}

function toAttachmentMessage(attachment: AttachmentRecord): registryV1.Attachment {
  return {
    name: attachmentName.format(attachment.deviceId, attachment.id),
    state: stateCodes[attachment.state],
    epoch: attachment.epoch,
    identity: attachment.identity === undefined ? undefined : toIdentityMessage(attachment.identity),
    sizeBytes: BigInt(attachment.sizeBytes),
    currentSizeBytes: BigInt(attachment.currentSizeBytes),
    errorReason: attachment.errorReason,
    errorMessage: attachment.errorMessage,
    updateTime: attachment.updateTime,
    verification: verificationOf(attachment),
    remote: attachment.remote === undefined ? undefined : toRemoteMessage(attachment.remote),
  };
}

function verificationOf({
  identity,
  remote,
  verified,
}: AttachmentRecord): registryV1.Attachment_Verification {
  // An NBD server tells nothing by which its export could be verified.
  if (remote !== undefined) return Verification.VERIFICATION_UNVERIFIED;
  if (identity === undefined) return Verification.VERIFICATION_UNSPECIFIED;
  return verified ? Verification.VERIFICATION_VERIFIED : Verification.VERIFICATION_UNVERIFIED;
}

/** @throws HoldfastError INVALID_ARGUMENT naming the field */
export function parseDevice({ deviceId, device }: registryV1.CreateDeviceRequest): DeviceDefinition {
  return {
    id: deviceName.parse(deviceName.format(deviceId), 'device_id'),
    backing: parseBacking(device?.backing),
    readOnly: device?.readOnly ?? false,
    transient: device?.transient ?? false,
    reattachment: parseReattachment(device?.reattachment),
  };
}

function parseReattachment(code: registryV1.Device_Reattachment | undefined): Reattachment {
  switch (code) {
    case undefined:
    case ReattachmentCode.REATTACHMENT_UNSPECIFIED:
    case ReattachmentCode.REATTACHMENT_AUTOMATIC:
      return 'AUTOMATIC';
    case ReattachmentCode.REATTACHMENT_MANUAL:
      return 'MANUAL';
    case ReattachmentCode.UNRECOGNIZED:
    default:
      // The wire carries any number, whatever the type says.
      throw new HoldfastError('INVALID_ARGUMENT', 'device.reattachment must be AUTOMATIC or MANUAL', {
        field: 'device.reattachment',
      });
  }
}
