import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError, type ErrorCode } from '@holdfast/foundation';

/** Between two attempts, doubling from the first to the longest: each that the registry takes up leaves records. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** What stands in the way of an attach and goes by itself, beside services that do not answer. */
const passing: ReadonlySet<ErrorCode> = new Set(['DEVICE_BUSY', 'DEVICE_LOCKED']);

/** Errors of open(2) of a path that may come yet: nothing there, or a node without its device. */
const notYet: ReadonlySet<string> = new Set(['ENOENT', 'ENXIO', 'ENODEV']);

/** Whether an attach that failed so may succeed later with nothing said anew. */
export function mayPass(error: unknown): error is HoldfastError {
  if (!(error instanceof HoldfastError)) return false;
  if (error.status === 'UNAVAILABLE' || passing.has(error.code)) return true;
  return error.code === 'DEVICE_OPEN_FAILED' && notYet.has(error.metadata['errno'] ?? '');
}

/**
 * Repeats an attempt for as long as it fails in a way that may pass.
 *
 * @param waitMs from now on; 0: one attempt
 * @param tell told why it waits, whenever that changes
 * @throws HoldfastError of the last attempt, which says that it waited; at once for what does not pass
 */
export async function untilItMay<T>(
  waitMs: number,
  attempt: () => Promise<T>,
  tell: (sentence: string) => void,
): Promise<T> {
  const end = performance.now() + waitMs;
  let told = '';
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
    try {
      return await attempt();
    } catch (error) {
      if (waitMs === 0 || !mayPass(error)) throw error;
      const left = end - performance.now();
      if (left <= 0) throw outlasted(error, waitMs);
      if (error.message !== told) tell(`waiting: ${error.message}`);
      told = error.message;
      await delay(Math.min(pauseMs, left));
    }
  }
}

function outlasted(error: HoldfastError, waitMs: number): HoldfastError {
  const { code, message, metadata } = error;
  return new HoldfastError(code, `${message}; waited ${String(waitMs / 1000)} s`, metadata, error);
}
