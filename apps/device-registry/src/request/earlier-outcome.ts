import type { registryV1 } from '@holdfast/contracts';
import type { AttachmentState } from '@holdfast/lease';
import type { Store } from '@holdfast/store';
import type { Diskseq } from '@holdfast/foundation';
import type { AttachmentService } from '../attachment/attachment.service.js';
import { refuseUnexpected } from '../attachment/expected-diskseq.js';
import { toDeviceMessage } from '../device/device-message.js';
import type { Effect } from './request.service.js';

/*
 * What a repeated request is answered with whose answer a crash has swallowed: the device as it is now, when what was
 * asked for has come about. Undefined when it has not, so that it is done (again).
 */

export function registeredFor(store: Store, id: string, { effect }: Effect) {
  return effect === ('REGISTERED' satisfies DeviceState) ? deviceOf(store, id) : undefined;
}

export function removedFor({ effect }: Effect): Record<string, never> | undefined {
  return effect === ('REMOVED' satisfies DeviceState) ? {} : undefined;
}

/**
 * An attach that was begun, and interrupted, was finished by the repair, or begun anew by it. Detached since by somebody,
 * the device stays so. Only what has failed or is lost is tried again.
 */
export async function attachedFor(
  store: Store,
  attachments: AttachmentService,
  id: string,
  { effect }: Effect,
  expected: Diskseq | undefined,
) {
  if (effect !== ('ATTACHING' satisfies AttachmentState)) return undefined;
  // What was CONNECTED before the crash may be LOST since.
  attachments.requireSettled();
  const device = await store.devices.find(id);
  const state = device?.attachment?.state;
  if (device === undefined || state === undefined || unfinished.has(state)) return undefined;
  // The repair knows nothing of what the caller expects (D1).
  refuseUnexpected(id, device.attachment?.identity, expected);
  return toDeviceMessage(device);
}

const unfinished: ReadonlySet<AttachmentState> = new Set(['ATTACHING', 'FAILED', 'LOST']);

/** A detach that was begun is finished by the repair, unless the worker refused; what was attached since stays. */
export async function detachedFor(
  store: Store,
  id: string,
  { effect, attachmentId }: Effect,
): Promise<registryV1.DetachDeviceResponse | undefined> {
  if (effect !== ('DETACHING' satisfies AttachmentState)) return undefined;
  const device = await store.devices.find(id);
  const { attachment } = device ?? {};
  const isDone = attachment?.id !== attachmentId || attachment?.state === 'RELEASED';
  if (!isDone) return undefined;
  return { device: device === undefined ? undefined : toDeviceMessage(device), cutSessions: [] };
}

type DeviceState = 'REGISTERED' | 'REMOVED';

async function deviceOf(store: Store, id: string) {
  return toDeviceMessage(await store.devices.get(id));
}
