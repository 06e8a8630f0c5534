import { deviceName, type registryV1 } from '@holdfast/contracts';
import type { ReservationRecord } from '@holdfast/store';

export function toReservationMessage(record: ReservationRecord): registryV1.Reservation {
  const { deviceId, holder, createTime } = record;
  return { device: deviceName.format(deviceId), holder, createTime };
}
