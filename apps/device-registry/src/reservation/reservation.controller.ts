import { deviceName, formatPageToken, parsePage, registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { STORE, type StoreToken } from '../store.provider.js';
import { toReservationMessage } from './reservation-message.js';

/** Name of a holder: a collection, and an id of 255 bytes. */
const HOLDER_BYTES_MAX = 300;

@GrpcController(registryV1.ReservationServiceService)
export class ReservationController implements GrpcControllerOf<registryV1.ReservationServiceService> {
  constructor(@Inject(STORE) private readonly store: StoreToken) {}

  async reserveDevice(request: registryV1.ReserveDeviceRequest): Promise<registryV1.ReserveDeviceResponse> {
    const { reservation, sizeBytes, readOnly } = await this.store.reservations.reserve(
      deviceName.parse(request.device, 'device'),
      parseHolder(request.holder),
    );
    return { reservation: toReservationMessage(reservation), sizeBytes: BigInt(sizeBytes), readOnly };
  }

  async releaseReservation(request: registryV1.ReleaseReservationRequest): Promise<Record<string, never>> {
    const deviceId = deviceName.parse(request.device, 'device');
    await this.store.reservations.release(deviceId, parseHolder(request.holder));
    return {};
  }

  async listReservations(
    request: registryV1.ListReservationsRequest,
  ): Promise<registryV1.ListReservationsResponse> {
    const { pageSize, after } = parsePage(request);
    const { items, next } = await this.store.reservations.list(
      {
        deviceId: request.device === '' ? undefined : deviceName.parse(request.device, 'device'),
        holder: request.holder === '' ? undefined : parseHolder(request.holder),
      },
      { pageSize, after: after === undefined ? undefined : parseNumber(after) },
    );
    return {
      reservations: items.map(toReservationMessage),
      nextPageToken: formatPageToken(next?.toString()),
    };
  }
}

function parseHolder(holder: string): string {
  if (/^[^/\p{Cc}]+\/[^/\p{Cc}]+$/u.test(holder) && Buffer.byteLength(holder) <= HOLDER_BYTES_MAX)
    return holder;
  const message = `holder must be a resource name of at most ${String(HOLDER_BYTES_MAX)} bytes`;
  throw new HoldfastError('INVALID_ARGUMENT', message, { field: 'holder' });
}

/** A page token holds the number of the last reservation. */
function parseNumber(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new HoldfastError('INVALID_ARGUMENT', 'page_token is not one that this service gave', {
    field: 'page_token',
  });
}
