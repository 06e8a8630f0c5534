import { HoldfastError } from '@holdfast/foundation';
import { HandoffListener, type OwnedFd } from '@holdfast/linux';
import type { Logger } from './log.js';

/** Descriptors that arrived before anybody asked for them: bounded in number and time. */
const UNCLAIMED_MAX = 64;
const UNCLAIMED_MS = 10_000;

/** A descriptor that arrived, and the bytes that came with it. */
export interface Arrival {
  readonly fd: OwnedFd;
  readonly payload: Buffer;
}

interface Unclaimed extends Arrival {
  readonly expiry: NodeJS.Timeout;
}

/** Somebody who waits for a descriptor. */
interface Expectation {
  readonly take: (arrival: Arrival) => void;
  /** It will not come any more. */
  readonly giveUp: (reason: string) => void;
}

/**
 * Where descriptors arrive. Each carries a token; whoever was told the token by gRPC claims it. A session is
 * expected beforehand; a device may arrive before it is claimed.
 */
export class HandoffInbox {
  readonly #logger: Logger;
  readonly #expected = new Map<string, Expectation>();
  readonly #unclaimed = new Map<string, Unclaimed>();
  #listener: HandoffListener | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  async listen(path: string): Promise<void> {
    this.#listener = await HandoffListener.listen(path, {
      allowedUid: process.getuid?.() ?? 0,
      onHandoff: ({ token, payload, fd }) => {
        this.#arrived(keyOf(token), { fd, payload });
      },
      onRefused: (reason, peer) => {
        this.#logger.warn({ reason, peer }, 'refused a descriptor');
      },
    });
  }

  /** Listens at another path from now on, in the place of whoever listened there. */
  moveTo(path: string): void {
    this.#listener?.moveTo(path);
  }

  /** Calls `take` when the descriptor of this token arrives. */
  expect(token: Uint8Array, take: (arrival: Arrival) => void): void {
    this.#expected.set(keyOf(token), { take, giveUp: () => undefined });
  }

  /** No longer expected: a descriptor that comes all the same is closed. */
  forget(token: Uint8Array): void {
    this.#expected.delete(keyOf(token));
  }

  /**
   * The descriptor of this token, which was sent before the call that claims it.
   *
   * @throws HoldfastError HANDOFF_FAILED when it does not arrive within `waitMs`, or before the inbox closes
   */
  claim(token: Uint8Array, waitMs: number): Promise<Arrival> {
    const key = keyOf(token);
    const unclaimed = this.#unclaimed.get(key);
    if (unclaimed !== undefined) {
      clearTimeout(unclaimed.expiry);
      this.#unclaimed.delete(key);
      return Promise.resolve(unclaimed);
    }
    return new Promise((resolve, reject) => {
      const giveUp = (reason: string) => {
        clearTimeout(expiry);
        this.#expected.delete(key);
        reject(new HoldfastError('HANDOFF_FAILED', reason));
      };
      const expiry = setTimeout(giveUp, waitMs, `no descriptor arrived within ${String(waitMs)} ms`);
      const take = (arrival: Arrival) => {
        clearTimeout(expiry);
        resolve(arrival);
      };
      this.#expected.set(key, { take, giveUp });
    });
  }

  /** Nothing arrives any more; whoever waits hears so, and what nobody claimed is closed. */
  async close(): Promise<void> {
    await this.#listener?.close();
    for (const { giveUp } of [...this.#expected.values()]) giveUp('this service is stopping');
    this.#expected.clear();
    this.dropUnclaimed();
  }

  /** Closes what has arrived and nobody has claimed. */
  dropUnclaimed(): void {
    for (const { fd, expiry } of this.#unclaimed.values()) {
      clearTimeout(expiry);
      fd.close();
    }
    this.#unclaimed.clear();
  }

  #arrived(key: string, arrival: Arrival): void {
    const expectation = this.#expected.get(key);
    if (expectation !== undefined) {
      this.#expected.delete(key);
      expectation.take(arrival);
      return;
    }
    if (this.#unclaimed.size >= UNCLAIMED_MAX) {
      this.#logger.warn({ limit: UNCLAIMED_MAX }, 'closed a descriptor that nobody expected');
      arrival.fd.close();
      return;
    }
    const expiry = setTimeout(() => {
      this.#unclaimed.delete(key);
      this.#logger.warn('closed a descriptor that nobody claimed');
      arrival.fd.close();
    }, UNCLAIMED_MS);
    this.#unclaimed.set(key, { ...arrival, expiry });
  }
}

function keyOf(token: Uint8Array): string {
  return Buffer.from(token).toString('hex');
}
