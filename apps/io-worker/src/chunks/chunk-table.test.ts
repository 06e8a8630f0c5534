import { expect, test } from 'vitest';
import { ChunkTable } from './chunk-table.js';
import { ChunkTables } from './chunk-tables.js';

const source = {
  map: 7n,
  field: 'chunk',
  allocator: 3n,
  offset: 0,
  chunkBytes: 4096,
  capacity: 8,
  entries: 2,
};
const never = new AbortController().signal;
const stale = { code: 'CHUNKS_STALE' };

/** A request that is under way until it is let go. */
function requestOn(table: ChunkTable) {
  let letGo: () => void = () => undefined;
  const going = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const seen = table.use(never, async (list) => {
    const before = [...list];
    await going;
    expect([...list], 'stands until the end').toEqual(before);
    return before;
  });
  return { letGo, seen };
}

test('Law 4 a hold is confirmed when no request of the older list is under way', async () => {
  const table = new ChunkTable(source);
  table.publish(1n, [1, 2]);
  const [first, second] = [requestOn(table), requestOn(table)];
  let confirmed = false;
  const hold = table.hold(2n).then(() => {
    confirmed = true;
  });
  const later = requestOn(table);
  later.letGo();
  first.letGo();
  expect(await first.seen).toEqual([1, 2]);
  expect(confirmed).toBe(false);
  expect(table.list).toBeUndefined();
  second.letGo();
  await hold;
  table.publish(2n, [1, 0]);
  expect(await later.seen).toEqual([1, 0]);
});

test('Law 4 of an older epoch nothing is taken, held or published', async () => {
  const table = new ChunkTable(source);
  table.publish(5n, [1, 2]);
  await expect(table.hold(4n)).rejects.toMatchObject(stale);
  await expect(table.hold(5n), 'late, of what is published').rejects.toMatchObject(stale);
  expect(table.list).toEqual(Uint32Array.of(1, 2));
  await table.hold(6n);
  expect(() => {
    table.publish(5n, [1, 2]);
  }).toThrow(expect.objectContaining(stale));
  expect(table.list, 'stays held').toBeUndefined();
  table.publish(6n, [2, 1]);
  expect(table.epoch).toBe(6n);
});

test('Law 4 what was not held does not change, whatever its epoch', async () => {
  const table = new ChunkTable(source);
  table.publish(1n, [1, 2]);
  expect(() => {
    table.publish(2n, [1, 3]);
  }).toThrow(expect.objectContaining(stale));
  table.publish(2n, [1, 2]);
  const request = requestOn(table);
  await expect(table.hold(3n, 20)).rejects.toMatchObject({ code: 'CHUNKS_BUSY' });
  expect(() => {
    table.publish(3n, [0, 0]);
  }).toThrow(expect.objectContaining(stale));
  table.publish(3n, [1, 2]);
  request.letGo();
  expect(await request.seen).toEqual([1, 2]);
});

test('what waits for a list ends when its session is fenced', async () => {
  const table = new ChunkTable(source);
  const fencing = new AbortController();
  const waiting = table.use(fencing.signal, () => Promise.resolve('done'));
  fencing.abort();
  expect(await waiting).toBeUndefined();
  expect(table.using).toBe(0);
});

test('Law 5 a list is one number for each entry, none beyond the region', () => {
  const table = new ChunkTable(source);
  for (const chunks of [[1], [1, 2, 3], [1, 9]]) {
    expect(() => {
      table.publish(1n, chunks);
    }).toThrow('each at most 8');
  }
});

test('sessions of one field share a table, which goes with the last of them', async () => {
  const tables = new ChunkTables();
  const [one, other] = [tables.join(source), tables.join({ ...source })];
  expect(other.table).toBe(one.table);
  expect(() => tables.join({ ...source, offset: 4096 })).toThrow('another session');
  tables.publish(source, 1n, [1, 2]);
  one.leave();
  await tables.hold(7n, 2n);
  expect(other.table.epoch).toBe(2n);
  other.leave();
  expect(tables.join(source).table.epoch).toBe(0n);
});
