import { byteCount, HoldfastError } from '@holdfast/foundation';
import { grantsLeases, isAttachmentState } from '@holdfast/lease';
import type { Database } from '../database/database.js';
import { deviceInUse, deviceNotFound } from '../device/device-errors.js';
import { rowsToTake, toPage, type Page, type PageRequest } from '../page.js';
import { holdersOf } from './holders-of.js';
import type { ReservationFilter, ReservationRecord, ReservedDevice } from './reservation-record.js';

/**
 * The reservations of devices. They outlive attachments, workers and boots: what relies on a device by a record relies on
 * it until that record is gone.
 */
export class ReservationRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Reserves a device that is attached. Repeated for the same holder, it answers with the reservation that stands.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND; DEVICE_NOT_ATTACHED
   */
  async reserve(deviceId: string, holder: string): Promise<ReservedDevice> {
    return this.#database.transaction(async (tx) => {
      // The device's row is written first, as a detach does: of the two, the second sees what the first has done.
      const { count } = await tx.device.updateMany({
        where: { id: deviceId, wantedAttached: true },
        data: { wantedAttached: true },
      });
      const device = await tx.device.findUnique({ where: { id: deviceId }, include: { attachment: true } });
      if (device === null) throw deviceNotFound(deviceId);
      const { attachment, readOnly } = device;
      const state = attachment?.state ?? 'never attached';
      if (attachment === null || count === 0 || !isAttachmentState(state) || !grantsLeases(state)) {
        throw new HoldfastError(
          'DEVICE_NOT_ATTACHED',
          `The device ${deviceId} is not attached: it is ${state}.`,
          {
            device: deviceId,
          },
        );
      }
      const key = { deviceId, holder };
      const row = await tx.reservation.upsert({ where: { deviceId_holder: key }, create: key, update: {} });
      return { reservation: row, sizeBytes: byteCount(attachment.currentSizeBytes), readOnly };
    });
  }

  /** Gives a reservation back. Releasing what is absent is OK. */
  async release(deviceId: string, holder: string): Promise<void> {
    await this.#database.run((client) => client.reservation.deleteMany({ where: { deviceId, holder } }));
  }

  /**
   * For whoever means to empty a device in order to detach it: finds out first whether that can succeed.
   *
   * @throws HoldfastError DEVICE_IN_USE naming the holders
   */
  async requireNone(deviceId: string): Promise<void> {
    const reservations = await this.#database.transaction((tx) => holdersOf(tx, deviceId));
    if (reservations.length > 0) throw deviceInUse(deviceId, { reservations });
  }

  /** Oldest first. */
  async list(
    { deviceId, holder }: ReservationFilter,
    { pageSize, after }: PageRequest<bigint>,
  ): Promise<Page<ReservationRecord, bigint>> {
    const rows = await this.#database.run((client) =>
      client.reservation.findMany({
        where: {
          ...(deviceId !== undefined && { deviceId }),
          ...(holder !== undefined && { holder }),
          ...(after !== undefined && { number: { gt: after } }),
        },
        orderBy: { number: 'asc' },
        take: rowsToTake(pageSize),
      }),
    );
    return toPage(rows, pageSize, ({ number }) => number);
  }
}
