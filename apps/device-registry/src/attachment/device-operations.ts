import { HoldfastError } from '@holdfast/foundation';

/** One operation at a time on each device: a second one is refused, not queued. */
export class DeviceOperations {
  readonly #pending = new Map<string, string>();

  /** Whether something is under way on the device in this process. */
  busy(deviceId: string): boolean {
    return this.#pending.has(deviceId);
  }

  /** @throws HoldfastError DEVICE_BUSY naming the operation under way */
  async exclusive<T>(deviceId: string, operation: string, run: () => Promise<T>): Promise<T> {
    const pending = this.#pending.get(deviceId);
    if (pending !== undefined) {
      throw new HoldfastError('DEVICE_BUSY', `${pending} of device "${deviceId}" is under way`, {
        device: deviceId,
      });
    }
    this.#pending.set(deviceId, operation);
    try {
      return await run();
    } finally {
      this.#pending.delete(deviceId);
    }
  }
}
