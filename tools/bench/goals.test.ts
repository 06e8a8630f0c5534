import { describe, expect, it } from 'vitest';
import { countVerdicts, goals, judge, verdictOf } from './goals.js';
import { loads } from './loads.js';
import { madeUpResults } from './page/fixture.js';

const ratio = (min: number, median: number, max: number) => ({ min, median, max, bestPeer: 'nbdkit' });

describe('verdictOf', () => {
  it.each([
    ['speed', ratio(2.5, 2.7, 3), 'met'],
    ['speed', ratio(2.4, 2.7, 3), 'within noise'],
    ['speed', ratio(1, 2, 2.4), 'missed'],
    ['cpu', ratio(0.3, 0.4, 2.5), 'met'],
    ['cpu', ratio(0.3, 2.6, 2.7), 'within noise'],
    ['cpu', ratio(2.6, 2.7, 3), 'missed'],
  ] as const)('of %s with a limit of 2.5 and %j is %s', (of, found, verdict) => {
    expect(verdictOf(of, 2.5, found)).toBe(verdict);
  });

  it('of what was not measured says so', () => {
    expect(verdictOf('speed', 1, undefined)).toBe('not measured');
  });
});

describe('the goals', () => {
  it.each(goals)('$name covers at least one load', ({ covers }) => {
    expect(loads.some(covers)).toBe(true);
  });

  it('a load has one goal of speed at most, and plain loads of our own generator have one', () => {
    for (const load of loads) {
      const own = goals.filter((goal) => goal.of === 'speed' && goal.covers(load));
      expect(own.length, load.name).toBe(
        load.scene === 'warm' && load.tool === 'loadgen' ? 1 : own.length && 1,
      );
    }
  });

  it('are counted', () => {
    const { rows } = madeUpResults();
    const counts = [...countVerdicts(rows).matchAll(/\d+/g)].map(([count]) => Number(count));
    expect(counts.reduce((sum, count) => sum + count)).toBe(judge(rows).length);
    expect(countVerdicts([])).toBe('0 met, 0 within noise, 0 missed, 0 not measured');
  });

  it('are judged by transport', () => {
    const limits = judge(madeUpResults().rows)
      .filter(({ row }) => row.load.name === '4k-read-qd64')
      .map(({ goal, row, limit }) => [goal.of, row.transport, limit]);
    expect(limits).toEqual([
      ['speed', 'unix', 2.5],
      ['speed', 'tcp', 3],
      ['cpu', 'unix', 0.5],
      ['cpu', 'tcp', 0.5],
    ]);
  });
});
