import type { Transaction } from '../database/client.js';
import { NAMES_TAKEN } from '../device/device-errors.js';

/** Who has reserved a device, oldest first, as many as an error shows. */
export async function holdersOf(tx: Transaction, deviceId: string): Promise<string[]> {
  const rows = await tx.reservation.findMany({
    where: { deviceId },
    select: { holder: true },
    orderBy: { number: 'asc' },
    take: NAMES_TAKEN,
  });
  return rows.map(({ holder }) => holder);
}
