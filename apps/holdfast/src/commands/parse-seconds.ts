import { InvalidArgumentError } from 'commander';

const SECONDS_MAX = 24 * 60 * 60;

/** A time in seconds as an option takes it: `30`, `0.5`. @returns milliseconds */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds <= SECONDS_MAX) return seconds * 1000;
  throw new InvalidArgumentError(`It must be a number of seconds, at most ${String(SECONDS_MAX)}.`);
}
