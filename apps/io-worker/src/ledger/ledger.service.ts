import { setTimeout as delay } from 'node:timers/promises';
import type { OwnedPins, PinLedger } from '@holdfast/pin-ledger';
import { pinName } from './ledger-message.js';
import { everything, type PinFilter } from './pin-filter.js';

/** How often a wait for quiet looks: the shared memory of a thread that sits in a system call tells nobody of a change. */
const LOOK_MS = 5;

/** What may be asked of the ledger. */
export class LedgerService {
  readonly ledger: PinLedger;

  constructor(ledger: PinLedger) {
    this.ledger = ledger;
  }

  /** Pins in flight, by name. */
  pins(filter: PinFilter = everything): OwnedPins[] {
    return this.ledger
      .outstanding(filter)
      .map((pins) => ({ name: pinName(pins), pins }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ pins }) => pins);
  }

  /**
   * Waits until nothing is pinned, `timeoutMs` at most.
   *
   * @returns what is left; empty once it was quiet
   */
  async quiesce(filter: PinFilter, timeoutMs: number): Promise<OwnedPins[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const left = this.pins(filter);
      const waitMs = Math.min(LOOK_MS, deadline - performance.now());
      if (left.length === 0 || waitMs <= 0) return left;
      await delay(waitMs);
    }
  }
}
