import { registryV1 } from '@holdfast/contracts';
import { printFacts, printJson } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import type { CommonOptions } from './common.js';
import { backingFacts, backingPlace } from './device-backing-text.js';

const { Device } = registryV1;

/** One device, as text or as JSON. */
export function showDevice(device: registryV1.Device, options: CommonOptions): void {
  if (options.json === true) {
    printJson(Device.toJSON(device));
    return;
  }
  const { attachment } = device;
  printFacts({
    name: lastSegment(device.name),
    ...backingFacts(device.backing),
    mode: mode(device),
    ...(device.reattachment === registryV1.Device_Reattachment.REATTACHMENT_MANUAL
      ? { reattach: 'by hand only' }
      : {}),
    state: stateOf(device),
    ...(attachment === undefined ? {} : { size: sizeText(device), epoch: attachment.epoch.toString() }),
    ...(attachment?.identity === undefined
      ? {}
      : { identity: identityText(attachment.identity), verified: verifiedText(attachment) }),
    ...(attachment?.remote === undefined ? {} : { verified: 'no: an NBD server tells no identity' }),
    ...(attachment?.errorMessage ? { error: `${attachment.errorReason}: ${attachment.errorMessage}` } : {}),
  });
}

/** A row of `device list`. */
export function deviceRow(device: registryV1.Device): string[] {
  return [
    lastSegment(device.name),
    stateOf(device),
    sizeOf(device),
    mode(device),
    backingPlace(device.backing),
  ];
}

function mode(device: registryV1.Device): string {
  return device.readOnly ? 'read-only' : 'read-write';
}

function sizeOf({ attachment }: registryV1.Device): string {
  // Whoever was never identified, nor asked what it offers, was never opened.
  const isKnown = attachment?.identity !== undefined || attachment?.remote !== undefined;
  return isKnown ? formatSize(attachment.currentSizeBytes) : '-';
}

/** Sessions that were opened before it changed keep the size that they were told. */
function sizeText(device: registryV1.Device): string {
  const { sizeBytes = 0n, currentSizeBytes = 0n } = device.attachment ?? {};
  if (sizeBytes === currentSizeBytes) return sizeOf(device);
  return `${sizeOf(device)}, when it was attached ${formatSize(sizeBytes)}`;
}

/** `connected`, `failed`, …; `registered` before the first attach. */
function stateOf({ attachment }: registryV1.Device): string {
  if (attachment === undefined) return 'registered';
  return registryV1.attachment_StateToJSON(attachment.state).replace('STATE_', '').toLowerCase();
}

function verifiedText({ verification }: registryV1.Attachment): string {
  return verification === registryV1.Attachment_Verification.VERIFICATION_VERIFIED
    ? 'yes'
    : 'no: the path alone says which device it is';
}

function identityText(identity: registryV1.Identity): string {
  const { major, minor, inode, diskseq } = identity;
  const which = diskseq === '' ? `inode ${inode.toString()}` : `diskseq ${diskseq}`;
  return `${String(major)}:${String(minor)} ${which}, boot ${identity.bootId}`;
}
