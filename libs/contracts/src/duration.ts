import { HoldfastError } from '@holdfast/foundation';

/** google.protobuf.Duration, as the generated code has it. */
export interface DurationMessage {
  readonly seconds: bigint;
  readonly nanos: number;
}

const NANOS_PER_MS = 1_000_000;

/** A number of milliseconds as a message. */
export function toDuration(milliseconds: number): DurationMessage & { seconds: bigint; nanos: number } {
  const seconds = Math.trunc(milliseconds / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((milliseconds - seconds * 1000) * NANOS_PER_MS) };
}

/**
 * Milliseconds of a duration that a request has; 0 when it is absent.
 *
 * @throws HoldfastError INVALID_ARGUMENT naming the field when it is negative or longer than `maxMs`
 */
export function durationMs(field: string, duration: DurationMessage | undefined, maxMs: number): number {
  if (duration === undefined) return 0;
  const milliseconds = Number(duration.seconds) * 1000 + duration.nanos / NANOS_PER_MS;
  if (milliseconds >= 0 && milliseconds <= maxMs) return milliseconds;
  throw new HoldfastError('INVALID_ARGUMENT', `${field} must be 0 to ${String(maxMs / 1000)} seconds`, {
    field,
  });
}
