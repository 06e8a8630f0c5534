import { HoldfastError } from '@holdfast/foundation';

interface Pending {
  readonly operation: string;
  /** Resolves when the operation has ended, in whatever way. */
  readonly ended: Promise<void>;
}

/** One operation at a time on each device. */
export class DeviceOperations {
  readonly #pending = new Map<string, Pending>();

  /** Nothing is under way on any device. */
  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /**
   * For a caller who can repeat: refused, not queued, while something else is under way.
   *
   * @throws HoldfastError DEVICE_BUSY naming the operation under way
   */
  async exclusive<T>(deviceId: string, operation: string, run: () => Promise<T>): Promise<T> {
    const pending = this.#pending.get(deviceId);
    if (pending !== undefined) {
      throw new HoldfastError('DEVICE_BUSY', `${pending.operation} of device "${deviceId}" is under way`, {
        device: deviceId,
      });
    }
    return this.#begin(deviceId, operation, run);
  }

  /** For a repair, which must follow whatever is under way: waits for its end. */
  async afterOthers<T>(deviceId: string, operation: string, run: () => Promise<T>): Promise<T> {
    for (;;) {
      const pending = this.#pending.get(deviceId);
      if (pending === undefined) return this.#begin(deviceId, operation, run);
      await pending.ended;
    }
  }

  async #begin<T>(deviceId: string, operation: string, run: () => Promise<T>): Promise<T> {
    const outcome = run();
    const end = () => {
      this.#pending.delete(deviceId);
    };
    this.#pending.set(deviceId, { operation, ended: outcome.then(end, end) });
    return outcome;
  }
}
