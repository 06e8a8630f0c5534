import { HoldfastError } from '@holdfast/foundation';
import { CONNECTING_MAX, CONNECTING_WAIT_MS } from './limits.js';

/**
 * How many sessions of a remote device connect at the same time. It ends the chain of a device that, over whatever detour, is
 * an export of itself: there each session waits for the next one to connect, until one finds no slot and is refused, and with
 * it all before it.
 */
export class ConnectingSlots {
  #free = CONNECTING_MAX;
  /** Those that wait, the oldest first. */
  readonly #waiting = new Set<() => void>();

  /** @throws HoldfastError LIMIT_REACHED when no slot becomes free in time */
  async within<Result>(act: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#handedOver();
    try {
      return await act();
    } finally {
      this.#giveBack();
    }
  }

  #handedOver(): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(take);
        const refusal = `${String(CONNECTING_MAX)} sessions of this device are connecting to its NBD server already; is it an export of itself?`;
        reject(new HoldfastError('LIMIT_REACHED', refusal));
      }, CONNECTING_WAIT_MS);
      this.#waiting.add(take);
    });
  }

  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
