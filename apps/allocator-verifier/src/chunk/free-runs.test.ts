import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FreeRuns } from './free-runs.js';

/** The same, place by place. */
class Model {
  readonly places: boolean[];

  constructor(size: number) {
    this.places = Array.from({ length: size }, () => false);
  }

  runs(): { start: number; count: number }[] {
    const runs: { start: number; count: number }[] = [];
    for (const [place, free] of this.places.entries()) {
      const last = runs.at(-1);
      if (!free) continue;
      if (last !== undefined && last.start + last.count === place) last.count += 1;
      else runs.push({ start: place, count: 1 });
    }
    return runs;
  }
}

describe('free runs', () => {
  test('are those of a plain list of places, whatever is taken and given', () => {
    const changes = fc.array(fc.record({ start: fc.nat(299), count: fc.integer({ min: 1, max: 100 }) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), changes, (size, wanted) => {
        const free = new FreeRuns(size);
        const model = new Model(size);
        for (const { start, count } of wanted) {
          if (start >= size) continue;
          const state = model.places[start] ?? false;
          const end = Math.min(start + count, size);
          let same = start;
          while (same < end && model.places[same] === state) same += 1;
          free.set({ start, count: same - start }, !state);
          model.places.fill(!state, start, same);
          const runs = model.runs();
          expect(free.longest).toBe(Math.max(0, ...runs.map((run) => run.count)));
          expect(free.free).toBe(model.places.filter(Boolean).length);
          for (const length of [1, 2, 31, 32, 33, 64, free.longest + 1]) {
            expect(free.firstRun(length)).toBe(runs.find((run) => run.count >= length)?.start);
          }
        }
        for (let place = 0; place < size; place += 1) expect(free.isFree(place)).toBe(model.places[place]);
      }),
      { numRuns: 500 },
    );
  });

  test('a place is not taken twice, nor given twice, and none outside is', () => {
    const free = new FreeRuns(40);
    free.set({ start: 0, count: 40 }, true);
    expect(() => {
      free.set({ start: 39, count: 1 }, true);
    }).toThrow('once');
    free.set({ start: 30, count: 4 }, false);
    expect(() => {
      free.set({ start: 33, count: 2 }, false);
    }).toThrow('once');
    expect(() => {
      free.set({ start: 39, count: 2 }, false);
    }).toThrow('inside');
    expect(() => free.isFree(40)).toThrow('one of those');
  });
});
