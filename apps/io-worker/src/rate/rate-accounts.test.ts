import { expect, test } from 'vitest';
import { RateAccounts, type RateShare } from './rate-accounts.js';

const SECOND = 1_000_000_000n;

function shareOf(account: string, revision: bigint, iops: number): RateShare {
  return { account, revision, limit: { iops, bytesPerSecond: 0, burstMs: 1000 } };
}

test('sessions of one account share one limit, those of another have their own', () => {
  const accounts = new RateAccounts(() => 0n);
  accounts.join(shareOf('a', 0n, 1));
  const first = accounts.limitOf('a');
  accounts.join(shareOf('a', 0n, 1));
  accounts.join(shareOf('b', 0n, 1));
  expect(accounts.limitOf('a')).toBe(first);
  expect(accounts.limitOf('b')).not.toBe(first);
  expect(accounts.limitOf(undefined)).toBeUndefined();
});

test('Law 4 a limit of an earlier revision changes nothing', () => {
  const accounts = new RateAccounts(() => 0n);
  accounts.join(shareOf('a', 1n, 10));
  accounts.set(shareOf('a', 3n, 30));
  accounts.set(shareOf('a', 2n, 20));
  // A session that was prepared before the change, and came after it.
  accounts.join(shareOf('a', 1n, 10));
  expect(accounts.shareOf('a')).toEqual(shareOf('a', 3n, 30));
  accounts.set(shareOf('unknown', 9n, 1));
  expect(accounts.shareOf('unknown')).toBeUndefined();
});

test('what an account owes is not forgotten with its last session, and an account that owes nothing is', () => {
  let now = 100n * SECOND;
  const accounts = new RateAccounts(() => now);
  const leave = accounts.join(shareOf('a', 0n, 1));
  const limit = accounts.limitOf('a');
  for (let i = 0; i < 10; i++) limit?.take(limit.generation, 0, now);
  leave();
  accounts.join(shareOf('b', 0n, 1))();
  expect(accounts.limitOf('a')).toBe(limit);
  now += 10n * SECOND;
  accounts.join(shareOf('c', 0n, 1));
  expect(accounts.limitOf('a')).toBeUndefined();
  expect(accounts.size).toBe(1);
});
