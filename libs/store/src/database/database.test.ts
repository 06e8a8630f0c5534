import { describe, expect, test } from 'vitest';
import type { Client } from './client.js';
import { Database } from './database.js';

const conflict = Object.assign(new Error('deadlock'), { code: 'P2034' });

/** A database whose transactions end as listed, one after the other, and then succeed. */
function databaseOf(failures: Error[]) {
  let attempts = 0;
  const $transaction = () => {
    attempts += 1;
    const failure = failures.shift();
    return failure === undefined ? Promise.resolve('done') : Promise.reject(failure);
  };
  const database = new Database({
    kind: 'postgresql',
    client: { $transaction } as unknown as Client,
    holdAttachment: () => Promise.resolve(undefined),
    orderAudit: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
  return { database, attempts: () => attempts };
}

describe('a transaction', () => {
  const work = () => Promise.resolve('unused');

  test('that was the victim of a deadlock is tried again', async () => {
    const { database, attempts } = databaseOf([conflict, conflict]);
    expect(await database.transaction(work)).toBe('done');
    expect(attempts()).toBe(3);
  });

  test('is not tried for ever', async () => {
    const { database, attempts } = databaseOf(Array.from({ length: 100 }, () => conflict));
    await expect(database.transaction(work)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      cause: conflict,
    });
    expect(attempts()).toBe(5);
  });

  test('that failed otherwise is not repeated', async () => {
    const failure = new Error('no');
    const { database, attempts } = databaseOf([failure]);
    await expect(database.transaction(work)).rejects.toBe(failure);
    expect(attempts()).toBe(1);
  });
});
