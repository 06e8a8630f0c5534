import { durationMs, toDuration, type workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { ACCOUNT_BYTES_MAX, BURST_MS_MAX, BYTES_PER_SECOND_MAX, IOPS_MAX } from './limits.js';
import type { RateShare } from './rate-accounts.js';

/** @throws HoldfastError INVALID_ARGUMENT naming the part of `field` */
export function parseRateShare(message: workerV1.RateLimit, field: string): RateShare {
  const { account, revision, iops, bytesPerSecond, burst } = message;
  const fail = (part: string, problem: string): never => {
    throw new HoldfastError('INVALID_ARGUMENT', `${field}.${part} ${problem}`, { field: `${field}.${part}` });
  };
  if (account === '' || Buffer.byteLength(account) > ACCOUNT_BYTES_MAX) {
    fail('account', `must be 1 to ${String(ACCOUNT_BYTES_MAX)} bytes`);
  }
  if (iops > IOPS_MAX) fail('iops', `must be at most ${String(IOPS_MAX)}`);
  if (bytesPerSecond > BigInt(BYTES_PER_SECOND_MAX)) fail('bytes_per_second', 'must be at most 2^40');
  const burstMs = Math.round(durationMs(`${field}.burst`, burst, BURST_MS_MAX));
  return { account, revision, limit: { iops, bytesPerSecond: Number(bytesPerSecond), burstMs } };
}

export function toRateMessage({ account, revision, limit }: RateShare): workerV1.RateLimit {
  const { iops, bytesPerSecond, burstMs } = limit;
  return {
    account,
    revision,
    iops,
    bytesPerSecond: BigInt(bytesPerSecond),
    burst: toDuration(burstMs),
  };
}
