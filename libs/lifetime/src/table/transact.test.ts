import { expect, test } from 'vitest';
import { allocates, m1, worldWith } from '../testing/counter-example.js';
import { transact } from './transact.js';

test('C10 a change that could not be persisted has not happened, and can be made again', async () => {
  const { table, store } = await worldWith();
  const outcome = table.load('P2', allocates);
  if (!outcome.accepted) throw new Error(outcome.rejection.reason);
  store.failsNext = true;
  await expect(transact(table, outcome.change, store.persist)).rejects.toThrow();
  expect(table.chains()).toEqual([]);
  expect(store.records().rows).toEqual([]);
  await transact(table, outcome.change, store.persist);
  expect(table.allocatorOf(m1)).toBe('A');
  expect(store.records().rows).toHaveLength(2);
});

test('C10 while a change is being persisted, nobody sees it in memory', async () => {
  const { table } = await worldWith();
  const outcome = table.load('P2', allocates);
  if (!outcome.accepted) throw new Error(outcome.rejection.reason);
  let seen: unknown;
  await transact(table, outcome.change, (change) => {
    seen = { chains: table.chains(), inserted: change.inserted.length };
    return Promise.resolve();
  });
  expect(seen).toEqual({ chains: [], inserted: 2 });
  expect(table.allocatorOf(m1)).toBe('A');
});
