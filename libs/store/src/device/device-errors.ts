import { HoldfastError } from '@holdfast/foundation';

export function deviceNotFound(device: string): HoldfastError {
  return new HoldfastError('DEVICE_NOT_FOUND', `There is no device ${device}.`, { device });
}

export function deviceBusy(device: string, state: string): HoldfastError {
  const message = `Another operation on the device ${device} is under way: its attachment is ${state}.`;
  return new HoldfastError('DEVICE_BUSY', message, { device, state });
}

/** Names that a message shows; a device may have thousands of sessions. */
const NAMES_SHOWN_MAX = 10;

/** Rows to ask for when their names go into {@link deviceInUse}: one more tells that there are more. */
export const NAMES_TAKEN = NAMES_SHOWN_MAX + 1;

/** Who keeps a device from being detached or removed; what is empty or absent does not. */
export interface DeviceUsers {
  readonly sessions?: readonly string[];
  readonly exports?: readonly string[];
  /** Resource names of who has reserved it. */
  readonly reservations?: readonly string[];
  /** State of its attachment, where that alone is the obstacle. */
  readonly attachment?: string;
}

const words = { sessions: 'sessions', exports: 'exports', reservations: 'those who reserved it:' } as const;

/** The facts of the message are in the metadata too, under the same names. */
export function deviceInUse(device: string, users: DeviceUsers): HoldfastError {
  const metadata: Record<string, string> = { device };
  const reasons: string[] = [];
  for (const what of ['sessions', 'exports', 'reservations'] as const) {
    const names = users[what] ?? [];
    if (names.length === 0) continue;
    const more = names.length > NAMES_SHOWN_MAX ? ' and more' : '';
    metadata[what] = names.slice(0, NAMES_SHOWN_MAX).join(', ') + more;
    reasons.push(`${words[what]} ${metadata[what]}`);
  }
  if (users.attachment !== undefined) {
    metadata['attachment'] = users.attachment;
    reasons.push(`its attachment, which is ${users.attachment}`);
  }
  return new HoldfastError(
    'DEVICE_IN_USE',
    `The device ${device} is used by ${reasons.join('; ')}.`,
    metadata,
  );
}
