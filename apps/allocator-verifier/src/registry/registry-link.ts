import { createClient, deviceName, registryV1, type ServiceClient } from '@holdfast/contracts';

/** A device, as far as a pool of it needs to be known. */
export interface PoolDevice {
  readonly sizeBytes: bigint;
  readonly readOnly: boolean;
}

/** What the allocator-verifier asks of the registry. Every failure is a HoldfastError, SERVICE_UNAVAILABLE among them. */
export class RegistryLink {
  readonly #reservations: ServiceClient<registryV1.ReservationServiceService>;
  readonly #devices: ServiceClient<registryV1.DeviceServiceService>;

  /** @param address gRPC target of the registry */
  constructor(address: string) {
    this.#reservations = createClient(registryV1.ReservationServiceService, address);
    this.#devices = createClient(registryV1.DeviceServiceService, address);
  }

  /** Size of a device that is attached, or was; 0n before the first time. */
  async sizeOf(deviceId: string): Promise<bigint> {
    const { attachment } = await this.#devices.getDevice({ name: deviceName.format(deviceId) });
    return attachment?.currentSizeBytes ?? 0n;
  }

  /** @param holder resource name of the allocator; reserving again is OK */
  async reserve(deviceId: string, holder: string): Promise<PoolDevice> {
    return this.#reservations.reserveDevice({ device: deviceName.format(deviceId), holder });
  }

  /** Releasing what is absent is OK. */
  async release(deviceId: string, holder: string): Promise<void> {
    await this.#reservations.releaseReservation({ device: deviceName.format(deviceId), holder });
  }

  close(): void {
    this.#reservations.close();
    this.#devices.close();
  }
}
