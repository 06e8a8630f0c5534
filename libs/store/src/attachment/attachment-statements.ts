import { HoldfastError } from '@holdfast/foundation';
import { isLive, type AttachmentState } from '@holdfast/lease';
import type { Client, Transaction } from '../database/client.js';
import { deviceBusy, deviceInUse } from '../device/device-errors.js';
import { namesOfSessions } from '../lease/names-of-sessions.js';
import { newAttachmentId } from './attachment-id.js';
import type { AttachmentRecord, BeginDetachResult } from './attachment-record.js';
import { toAttachmentRecord } from './attachment-row.js';

/**
 * Makes room for the next attachment of a device. Law 1: leases of a lost one stand until their holder is proven gone
 * and they are released.
 *
 * @throws HoldfastError DEVICE_IN_USE
 */
export async function removeFinal(tx: Transaction, { id, deviceId }: AttachmentRecord): Promise<void> {
  const sessions = await namesOfSessions(tx, deviceId);
  if (sessions.length > 0) throw deviceInUse(deviceId, { sessions });
  await tx.attachment.delete({ where: { id } });
}

/** Writes the next attachment of a device. Law 4: its epoch is counted on the device, which outlives attachments. */
export async function createNext(tx: Transaction, deviceId: string): Promise<AttachmentRecord> {
  const { epoch } = await tx.device.update({ where: { id: deviceId }, data: { epoch: { increment: 1 } } });
  const row = await tx.attachment.create({
    data: { id: newAttachmentId(), deviceId, epoch, ...stateColumns('ATTACHING') },
  });
  return toAttachmentRecord(row);
}

/** The columns that go with a state; a final one gives the identity back. */
export function stateColumns(state: AttachmentState) {
  return { state, updateTime: new Date(), ...(!isLive(state) && { liveIdentity: null }) };
}

type Change = Parameters<Client['attachment']['updateManyAndReturn']>[0]['data'];

/**
 * Changes an attachment if it is in `state`, in one statement; asks for more only to say why it was not.
 *
 * @throws HoldfastError DEVICE_BUSY when it is in another state, or was replaced
 */
export async function changeIn(
  client: Client | Transaction,
  id: string,
  state: AttachmentState,
  data: Change,
): Promise<AttachmentRecord> {
  const [row] = await client.attachment.updateManyAndReturn({ where: { id, state }, data });
  if (row !== undefined) return toAttachmentRecord(row);
  const actual = await client.attachment.findUnique({ where: { id } });
  if (actual !== null) throw deviceBusy(actual.deviceId, actual.state);
  throw new HoldfastError('DEVICE_BUSY', `The attachment ${id} was replaced by a later one.`, {
    attachment: id,
  });
}

/** Moves the attachment of a device to DETACHING from whichever state leads there; undefined when it is in none. */
export async function detachingFrom(tx: Transaction, deviceId: string) {
  for (const from of ['CONNECTED', 'DRAINING'] as const satisfies readonly AttachmentState[]) {
    const [row] = await tx.attachment.updateManyAndReturn({
      where: { deviceId, state: from },
      data: stateColumns('DETACHING'),
    });
    if (row !== undefined) return { row, from };
  }
  return undefined;
}

/** What `beginDetach` answers about a device that is not CONNECTED. */
export async function refuseUnlessDetached(tx: Transaction, deviceId: string): Promise<BeginDetachResult> {
  const row = await tx.attachment.findUnique({ where: { deviceId } });
  const state = row === null ? undefined : toAttachmentRecord(row).state;
  if (state !== undefined && isLive(state)) throw deviceBusy(deviceId, state);
  return { kind: 'detached' };
}
