import { HoldfastError } from '@holdfast/foundation';
import { compatible } from '@holdfast/lease';
import type { Transaction } from '../database/client.js';
import type { LeaseRequest } from './lease-record.js';
import { toLeaseRecord, withSize } from './lease-row.js';

/** Sessions that a refusal names; the list is for people. */
const NAMES_TOLD = 5;

/** @throws HoldfastError LEASE_CONFLICT when a live lease on the device cannot live beside this one */
export async function refuseIncompatible(tx: Transaction, request: LeaseRequest): Promise<void> {
  const { deviceId, session } = request;
  // A repeated request is answered with the lease that it was granted: that one is in nobody's way.
  const where = { deviceId, session: { not: session } };
  const rows = await tx.lease.findMany({ where, include: withSize });
  const inTheWay = rows.map(toLeaseRecord).filter((lease) => !compatible(request, lease));
  if (inTheWay.length === 0) return;
  const sessions = inTheWay.slice(0, NAMES_TOLD).map(({ session }) => session);
  const more = inTheWay.length > NAMES_TOLD ? ` and ${String(inTheWay.length - NAMES_TOLD)} more` : '';
  throw new HoldfastError(
    'LEASE_CONFLICT',
    `The device ${deviceId} is in use by another client: sessions ${sessions.join(', ')}${more}.`,
    { device: deviceId, sessions: sessions.join(',') },
  );
}
