import { durationMs, toDuration, type gatewayV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { ExportRateLimit } from '@holdfast/store';

/** Requests a second that a limit can say: more than a worker serves. */
export const IOPS_MAX = 10_000_000;

/** Fewest bytes a second of a limit: with less, one request of the longest kind takes longer than clients wait. */
export const BYTES_PER_SECOND_MIN = 64 * 1024;

/** Most bytes a second of a limit: a TiB, more than memory moves. */
export const BYTES_PER_SECOND_MAX = 2 ** 40;

/** Burst of a limit that says none, in milliseconds. */
export const BURST_MS_DEFAULT = 1000;

/** Shortest burst, in milliseconds: what timers are late by must be made up for. */
export const BURST_MS_MIN = 10;

/** Longest burst, in milliseconds: an hour. */
export const BURST_MS_MAX = 3_600_000;

/** Fields of the message, and the columns of the record that they are. */
const columns = {
  'rate_limit.iops': 'iops',
  'rate_limit.bytes_per_second': 'bytesPerSecond',
  'rate_limit.burst': 'burstMs',
} as const satisfies Record<string, keyof ExportRateLimit>;

/** @throws HoldfastError INVALID_ARGUMENT naming the field */
export function parseRateLimit(wanted: gatewayV1.RateLimit | undefined): ExportRateLimit {
  const iops = wanted?.iops ?? 0;
  const bytesPerSecond = wanted?.bytesPerSecond ?? 0n;
  const burstMs =
    Math.round(durationMs('export.rate_limit.burst', wanted?.burst, BURST_MS_MAX)) || BURST_MS_DEFAULT;
  if (iops > IOPS_MAX) throw invalid('iops', `must be at most ${String(IOPS_MAX)}`);
  const isRate =
    bytesPerSecond >= BigInt(BYTES_PER_SECOND_MIN) && bytesPerSecond <= BigInt(BYTES_PER_SECOND_MAX);
  if (bytesPerSecond !== 0n && !isRate) {
    throw invalid('bytes_per_second', `must be 0, or ${String(BYTES_PER_SECOND_MIN)} to 2^40`);
  }
  if (burstMs < BURST_MS_MIN) throw invalid('burst', `must be at least ${String(BURST_MS_MIN)} ms`);
  return { iops, bytesPerSecond, burstMs };
}

/**
 * What of a rate limit an update changes (AIP-161).
 *
 * @throws HoldfastError INVALID_ARGUMENT when the mask names what cannot change, or a value is out of its bounds
 */
export function parseRateLimitChange(
  wanted: gatewayV1.RateLimit | undefined,
  mask: readonly string[] | undefined,
): Partial<ExportRateLimit> {
  const whole = parseRateLimit(wanted);
  if (mask === undefined || mask.length === 0 || mask.includes('rate_limit')) {
    requireKnown(mask?.filter((path) => path !== 'rate_limit') ?? []);
    return whole;
  }
  const changed = requireKnown(mask).map((path) => columns[path]);
  return Object.fromEntries(changed.map((column) => [column, whole[column]]));
}

export function toRateLimitMessage({ iops, bytesPerSecond, burstMs }: ExportRateLimit): gatewayV1.RateLimit {
  return { iops, bytesPerSecond, burst: toDuration(burstMs) };
}

function requireKnown(paths: readonly string[]): (keyof typeof columns)[] {
  return paths.map((path) => {
    if (Object.hasOwn(columns, path)) return path as keyof typeof columns;
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `update_mask has "${path.slice(0, 80)}": of an export only rate_limit can change; remove it, and publish it again`,
      { field: 'update_mask' },
    );
  });
}

function invalid(field: string, problem: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `export.rate_limit.${field} ${problem}`, {
    field: `export.rate_limit.${field}`,
  });
}
