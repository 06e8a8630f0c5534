import type { Lock } from '@holdfast/lifetime';
import { expect, test } from 'vitest';
import { covers, LockTable } from './lock-table.js';

const shared = (name: string) => ({ name, mode: 'shared' as const });
const exclusive = (name: string) => ({ name, mode: 'exclusive' as const });

/** Takes locks, and notes when they are held. */
function taker() {
  const table = new LockTable();
  const held: string[] = [];
  const take = (who: string, locks: Lock[]) =>
    table.take(locks).then((release) => {
      held.push(who);
      return release;
    });
  return { held, take };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('those that share do not wait, and who wants it alone waits for all of them', async () => {
  const { held, take } = taker();
  const releases = [await take('one', [shared('a')]), await take('two', [shared('a')])];
  const third = take('three', [exclusive('a')]);
  releases[0]?.();
  await settled();
  expect(held).toEqual(['one', 'two']);
  releases[1]?.();
  await third;
  expect(held).toEqual(['one', 'two', 'three']);
});

test('who waits is not overtaken by those that want the same, and is by others', async () => {
  const { held, take } = taker();
  const release = await take('one', [shared('a')]);
  const second = take('two', [exclusive('a'), exclusive('b')]);
  void take('three', [shared('a')]);
  void take('four', [exclusive('c')]);
  await settled();
  expect(held).toEqual(['one', 'four']);
  release();
  (await second)();
  await settled();
  expect(held).toEqual(['one', 'four', 'two', 'three']);
});

test('nobody holds one while he waits for another: two that want the same two never wait for each other', async () => {
  const { held, take } = taker();
  const all = Array.from({ length: 50 }, async (_, at) => {
    const locks = [exclusive('a'), exclusive('b')];
    const release = await take(String(at), at % 2 === 0 ? locks : locks.reverse());
    await settled();
    release();
  });
  await Promise.all(all);
  expect(held).toHaveLength(50);
});

test('what is held twice is held as strongly as it was wanted', () => {
  expect(covers([shared('a'), exclusive('a')], [exclusive('a')])).toBe(true);
  expect(covers([shared('a')], [shared('a')])).toBe(true);
  expect(covers([shared('a')], [exclusive('a')])).toBe(false);
  expect(covers([exclusive('a')], [shared('b')])).toBe(false);
});
