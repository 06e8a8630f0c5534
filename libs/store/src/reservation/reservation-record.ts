import type { ByteCount } from '@holdfast/foundation';

/** Who relies on a device, beyond any session: while one stands, the device is neither detached nor removed. */
export interface ReservationRecord {
  readonly deviceId: string;
  /** Resource name of who relies on it, `allocators/{allocator}`; one reservation of a device for each. */
  readonly holder: string;
  /** Rises with each that is made. */
  readonly number: bigint;
  readonly createTime: Date;
}

/** A device as it was when it was reserved. */
export interface ReservedDevice {
  readonly reservation: ReservationRecord;
  readonly sizeBytes: ByteCount;
  readonly readOnly: boolean;
}

/** Which reservations are wanted: all, those of a device, or those of a holder. */
export interface ReservationFilter {
  readonly deviceId?: string | undefined;
  readonly holder?: string | undefined;
}
