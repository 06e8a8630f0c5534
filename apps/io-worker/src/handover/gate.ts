import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/foundation';
import { GATE_WAIT_MS } from './limits.js';

type GateState =
  | { readonly kind: 'open' }
  /** Callers wait until it opens again, or is shut for good. */
  | { readonly kind: 'closed'; readonly changed: Promise<void>; readonly change: () => void }
  | { readonly kind: 'shut' };

/**
 * What calls that change something pass. While everything that the worker has is handed over none is inside: what one of
 * them changed after its part was told would be lost, though its caller was told that it was done (law 4).
 */
export class Gate {
  #state: GateState = { kind: 'open' };
  #inside = 0;
  #emptied: () => void = () => undefined;

  /** @param waitMs longest wait of a call for it to open */
  constructor(private readonly waitMs = GATE_WAIT_MS) {}

  /** Calls inside. */
  get inside(): number {
    return this.#inside;
  }

  /**
   * @throws HoldfastError WORKER_UNAVAILABLE when another process is the worker now, or the caller has waited so long that it
   * must be told before it gives up; whatever `act` throws
   */
  async pass<T>(act: () => Promise<T> | T): Promise<T> {
    if (this.#state.kind === 'closed') await this.#opened();
    if (this.#state.kind === 'shut') {
      throw new HoldfastError('WORKER_UNAVAILABLE', 'another process is the I/O worker now');
    }
    this.#inside += 1;
    try {
      return await act();
    } finally {
      this.#inside -= 1;
      if (this.#inside === 0) this.#emptied();
    }
  }

  /** Resolves when it is not closed. @throws HoldfastError WORKER_UNAVAILABLE when it stays so for too long */
  async #opened(): Promise<void> {
    const patience = new AbortController();
    const { signal } = patience;
    const late = delay(this.waitMs, 'late' as const, { signal }).catch(() => 'late' as const);
    for (let state = this.#state; state.kind === 'closed'; state = this.#state) {
      if ((await Promise.race([state.changed, late])) === 'late') {
        throw new HoldfastError('WORKER_UNAVAILABLE', 'the I/O worker is being upgraded');
      }
    }
    patience.abort();
  }

  /** Lets nobody in from now on. Resolves when nobody is inside. */
  async close(): Promise<void> {
    let change: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => {
      change = resolve;
    });
    this.#state = { kind: 'closed', changed, change };
    if (this.#inside === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  open(): void {
    this.#become({ kind: 'open' });
  }

  /** For good: whoever waits hears that another process is the worker. */
  shut(): void {
    this.#become({ kind: 'shut' });
  }

  #become(next: GateState): void {
    const before = this.#state;
    this.#state = next;
    if (before.kind === 'closed') before.change();
  }
}
