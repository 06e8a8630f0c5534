import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/foundation';

/** First pause before what was unavailable is asked again: a service is restarted within a second or so. */
const RETRY_FIRST_MS = 100;

/** Longest such pause, within the grace in which a gateway that stops says so; hundreds of clients may wait at once. */
const RETRY_MAX_MS = 250;

/** What is kept of the time for a handshake, to tell a client that a service did not come back in time. */
const REFUSAL_RESERVE_MS = 1_000;

/** For how long a client in the handshake waits for a registry or a worker that is being restarted. */
export interface Patience {
  /** By performance.now(). */
  readonly endsAt: number;
  /** There is nobody any more who would profit from another attempt. */
  readonly isVain: () => boolean;
}

/** From now on, as long as a handshake that has just begun may take. */
export function patienceOf(handshakeMs: number, isVain: () => boolean): Patience {
  return { endsAt: performance.now() + handshakeMs - REFUSAL_RESERVE_MS, isVain };
}

/** Repeats `act` for as long as it fails with UNAVAILABLE and patience lasts. @throws its last error */
export async function patiently<T>({ endsAt, isVain }: Patience, act: () => Promise<T>): Promise<T> {
  for (let pauseMs = RETRY_FIRST_MS; ; pauseMs = Math.min(RETRY_MAX_MS, pauseMs * 2)) {
    try {
      return await act();
    } catch (error) {
      const mayPass = error instanceof HoldfastError && error.status === 'UNAVAILABLE';
      if (!mayPass || isVain() || performance.now() + pauseMs > endsAt) throw error;
    }
    await delay(pauseMs);
  }
}
