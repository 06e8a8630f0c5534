import { HoldfastError, messageOf } from '@holdfast/foundation';

/** Between the first failure to repair a device and the next attempt; doubles with each. */
const FIRST_PAUSE_MS = 100;
const PAUSE_MS_MAX = 10_000;

/**
 * Devices that a crash left in a state that could not be repaired yet. Each is tried again by itself and holds up no
 * other; until then nothing new is done with it, only undone.
 */
export class Unrepaired {
  readonly #reasons = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  /** @throws HoldfastError DEVICE_UNREPAIRED saying why */
  refuse(deviceId: string): void {
    const reason = this.#reasons.get(deviceId);
    if (reason === undefined) return;
    throw new HoldfastError(
      'DEVICE_UNREPAIRED',
      `what a crash left of "${deviceId}" is not repaired yet, and is tried again: ${reason}`,
      { device: deviceId },
    );
  }

  ids(): string[] {
    return [...this.#reasons.keys()];
  }

  has(deviceId: string): boolean {
    return this.#reasons.has(deviceId);
  }

  note(deviceId: string, error: unknown): void {
    this.#reasons.set(deviceId, messageOf(error));
  }

  /** It is repaired, or gone. */
  drop(deviceId: string): void {
    this.#reasons.delete(deviceId);
  }

  /** All devices are looked at anew. */
  clear(): void {
    this.stop();
    this.#reasons.clear();
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Calls `again` after a while, each time a longer one, if there is anything to repair. */
  tryLater(again: () => void): void {
    this.stop();
    if (this.#reasons.size === 0) return;
    this.#timer = setTimeout(again, this.#pauseMs);
    this.#timer.unref();
    this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
