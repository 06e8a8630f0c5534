import { expect, test } from 'vitest';
import type { Effects } from '../effects.js';
import { allocates, frees, m1, m2, moves, worldWith } from '../testing/counter-example.js';
import type { Outcome, TableChange } from './change.js';

const storesIntoM2: Effects = { stores: [{ allocator: 'A', into: m2 }], moves: [], uses: [m2] };
const everythingIsEmpty = () => true;

function accepted(outcome: Outcome): TableChange {
  if (!outcome.accepted) throw new Error(outcome.rejection.reason);
  return outcome.change;
}

test('changes of different chains are committed in any order, those of one chain one after the other', async () => {
  const { table } = await worldWith();
  const joins = accepted(table.load('P1', moves));
  const uses = accepted(table.load('P3', frees));
  const elsewhere = accepted(table.load('P5', { stores: [], moves: [], uses: [{ map: 'M9', field: 'f' }] }));
  expect(joins.locks).toEqual([
    { name: 'chain M1.f', mode: 'exclusive' },
    { name: 'chain M2.f', mode: 'exclusive' },
  ]);
  table.commit(uses);
  expect(table.isCurrent(joins)).toBe(false);
  expect(() => {
    table.commit(joins);
  }).toThrow('while current');
  table.commit(elsewhere);
  expect(table.chains().map(({ fields }) => fields)).toEqual([['M2.f'], ['M9.f']]);
});

test('two chains of one allocator dissolve at once: the second is computed again, and destroys it', async () => {
  const { table } = await worldWith(['P2', allocates], ['P4', storesIntoM2]);
  table.commit(table.destroyAllocator('A'));
  const first = table.unload('P2', everythingIsEmpty);
  const second = table.unload('P4', everythingIsEmpty);
  const shared = first.locks.filter(({ name }) => second.locks.some((lock) => lock.name === name));
  expect(shared).toEqual([{ name: 'allocator A', mode: 'exclusive' }]);
  table.commit(first);
  expect(table.isCurrent(second)).toBe(false);
  expect(second.allocatorsDestroyed).toEqual([]);
  table.commit(table.unload('P4', everythingIsEmpty));
  expect(table.stateOf('A')).toBeUndefined();
});

test('programs that store from one allocator into different chains do not wait for each other', async () => {
  const { table } = await worldWith();
  const [one, other] = [accepted(table.load('P2', allocates)), accepted(table.load('P4', storesIntoM2))];
  expect(one.locks[0]).toEqual({ name: 'allocator A', mode: 'shared' });
  table.commit(one);
  table.commit(other);
  expect([m1, m2].map((field) => table.allocatorOf(field))).toEqual(['A', 'A']);
});

test('a load is refused at its commit if its allocator is to be destroyed meanwhile', async () => {
  const { table } = await worldWith();
  const load = accepted(table.load('P2', allocates));
  table.commit(table.destroyAllocator('A'));
  expect(table.isCurrent(load)).toBe(false);
  expect(table.load('P2', allocates).accepted).toBe(false);
});
