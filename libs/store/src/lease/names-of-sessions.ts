import type { Transaction } from '../database/client.js';
import { NAMES_TAKEN } from '../device/device-errors.js';

/** The sessions that have a live lease on a device, oldest first, as many as an error shows. */
export async function namesOfSessions(tx: Transaction, deviceId: string): Promise<string[]> {
  const rows = await tx.lease.findMany({
    where: { deviceId },
    select: { session: true },
    orderBy: { number: 'asc' },
    take: NAMES_TAKEN,
  });
  return rows.map(({ session }) => session);
}
