import { CopyFailure } from './copy-failure.js';
import type { CopyDestination } from './ends/copy-end.js';
import type { Frontier } from './progress/frontier.js';
import type { Tally } from './progress/tally.js';

/** Flushes the destination; what was copied before is durable then. @throws CopyFailure */
export async function checkpoint(
  destination: CopyDestination,
  frontier: Frontier,
  tally: Tally,
): Promise<void> {
  const reached = frontier.reached;
  await CopyFailure.of(destination, destination.flush());
  tally.durable = reached;
}

/** Does so again and again until it is stopped, with `pauseMs` in between. @throws CopyFailure */
export async function checkpointRegularly(
  pauseMs: number,
  stop: AbortSignal,
  flush: () => Promise<void>,
): Promise<void> {
  for (;;) {
    await pause(pauseMs, stop);
    if (stop.aborted) return;
    await flush();
  }
}

/** Ends after a time, or at once when it is told to stop. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (stop.aborted) end();
    else stop.addEventListener('abort', end);
  });
}
