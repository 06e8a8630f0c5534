import { attachmentName, deviceName, sessionName } from '@holdfast/contracts';
import type { ShardOwner } from '@holdfast/pin-ledger';

/** Whose pins are meant. */
export type PinFilter = (owner: ShardOwner) => boolean;

export const everything: PinFilter = () => true;

/**
 * The pins of a device, in whatever attachment, or of one attachment of it.
 *
 * @throws HoldfastError INVALID_ARGUMENT unless it is the name of either
 */
export function pinsOfDevice(name: string): PinFilter {
  if (name.includes('/attachments/')) {
    attachmentName.parse(name, 'device');
    return ({ device }) => device === name;
  }
  deviceName.parse(name, 'device');
  return ({ device }) => device.startsWith(`${name}/`);
}

/** @throws HoldfastError INVALID_ARGUMENT unless it is the name of a session */
export function pinsOfSession(name: string): PinFilter {
  sessionName.parse(name, 'session');
  return ({ session }) => session === name;
}
