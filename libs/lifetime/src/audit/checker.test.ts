import { expect, test } from 'vitest';
import { allocates, frees, m1, m2, moves, worldWith } from '../testing/counter-example.js';
import { Checker } from './checker.js';
import type { AuditRecord } from './trail.js';

/** The trail of a life in which A goes with the last value. */
async function trailOfCounterExample(): Promise<AuditRecord[]> {
  const world = await worldWith(['P1', moves], ['P3', frees], ['P2', allocates]);
  world.allocate('A', m1);
  world.move(m1, m2);
  await world.destroyAllocator('A');
  for (const program of ['P1', 'P2', 'P3']) await world.unload(program);
  await world.freeMap('M2');
  return world.trail;
}

function findingsOf(trail: readonly AuditRecord[]): string[] {
  const checker = new Checker();
  return trail.flatMap((record) => checker.replay(record));
}

test('a trail that is right is replayed without a word', async () => {
  const trail = await trailOfCounterExample();
  expect(trail.at(-1)?.destroyed).toEqual(['A']);
  expect(findingsOf(trail)).toEqual([]);
});

test('a destruction that is too early, missing, or of another allocator is found', async () => {
  const trail = await trailOfCounterExample();
  const early = trail.map((record) =>
    record.operation.kind === 'destroy-allocator' ? { ...record, destroyed: ['A'] } : record,
  );
  expect(findingsOf(early)).toContain('A was destroyed too early');
  const last = trail.at(-1);
  if (last === undefined) throw new Error('the trail is not empty');
  expect(findingsOf([...trail.slice(0, -1), { ...last, destroyed: [] }])).toEqual(['A was not destroyed']);
  expect(findingsOf([...trail.slice(0, -1), { ...last, destroyed: ['B'] }])).toHaveLength(2);
});

test('a chain that was not walked whole is found', async () => {
  const trail = await trailOfCounterExample();
  const lazy = trail.map((record) => ({ ...record, observed: [] }));
  expect(findingsOf(lazy)).toContain('M1.f was not walked');
});

test('a load that should have been rejected is found, and one that should not', () => {
  const create: AuditRecord[] = ['A', 'B'].map((allocator) => ({
    operation: { kind: 'create-allocator', allocator },
    observed: [],
    rejection: undefined,
    destroyed: [],
  }));
  const load = (program: string, allocator: string, rejection?: 'two-allocators'): AuditRecord => ({
    operation: {
      kind: 'load',
      program,
      effects: { stores: [{ allocator, into: m1 }], moves: [], uses: [m1] },
    },
    observed: [],
    rejection,
    destroyed: [],
  });
  const words = (...loads: AuditRecord[]) => findingsOf([...create, ...loads]);
  expect(words(load('P1', 'A'), load('P2', 'B'))).toEqual(['accepted, and should be rejected']);
  expect(words(load('P1', 'A'), load('P2', 'B', 'two-allocators'))).toEqual([]);
  expect(words(load('P1', 'A', 'two-allocators'))).toEqual([
    'rejected (two-allocators), and should be accepted',
  ]);
});
