import { describe, expect, it } from 'vitest';
import { median, ratiosOf, rotate, summarise } from './rounds.js';
import type { Round } from './types.js';

/** A round in which each server reached the value given for it. */
function round(values: Record<string, number>): Round {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { value, requests: 1000, seconds: 1, serverCpuUs: value / 10, clientCpuUs: 1 },
    ]),
  );
}

describe('rotate', () => {
  it('lets each server go first in turn', () => {
    const orders = [0, 1, 2, 3].map((number) => rotate(['a', 'b', 'c'], number).join(''));
    expect(orders).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('takes an empty list', () => {
    expect(rotate([], 3)).toEqual([]);
  });
});

describe('median', () => {
  it('is the middle one of an odd number of values, as numbers and not as text', () => {
    expect(median([100, 9, 20])).toBe(20);
  });

  it('lies between the middle two of an even number', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it('leaves its input in order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('ratiosOf', () => {
  it('compares with the best peer of the same round', () => {
    expect(ratiosOf('own', [round({ own: 30, a: 10, b: 20 }), round({ own: 30, a: 60, b: 20 })])).toEqual([
      1.5, 0.5,
    ]);
  });

  it('leaves out rounds in which a side is missing', () => {
    expect(ratiosOf('own', [round({ a: 10 }), round({ own: 30 }), round({ own: 30, a: 10 })])).toEqual([3]);
  });
});

describe('summarise', () => {
  it('takes the median of the ratios, not the ratio of the medians', () => {
    // A slow machine in the second round hits both sides alike.
    const rounds = [round({ own: 200, a: 100 }), round({ own: 20, a: 10 }), round({ own: 150, a: 100 })];
    const { medians, ratio } = summarise('own', rounds);
    expect(medians['own']?.value).toBe(150);
    expect(medians['a']?.value).toBe(100);
    expect(ratio).toEqual({ median: 2, min: 1.5, max: 2, bestPeer: 'a' });
  });

  it('of CPU the best peer is the cheapest, and one whose time was too short to see is none', () => {
    const cpu = (own: number, a: number, b: number): Round =>
      Object.fromEntries(
        Object.entries({ own, a, b }).map(([name, serverCpuUs]) => [
          name,
          { value: 1, requests: 1, seconds: 1, serverCpuUs, clientCpuUs: 1 },
        ]),
      );
    const { cpuRatio } = summarise('own', [cpu(4, 8, 16), cpu(4, 0, 16), cpu(0, 8, 16)]);
    expect(cpuRatio).toEqual({ median: 0.375, min: 0.25, max: 0.5, bestPeer: 'a' });
  });

  it('gives latencies where every round of a server has them', () => {
    const one = { value: 1, requests: 1, seconds: 1, serverCpuUs: 1, clientCpuUs: 1 };
    const { medians } = summarise('own', [
      { own: { ...one, latencyUsP50: 5 } },
      { own: { ...one, latencyUsP50: 7 } },
    ]);
    expect(medians['own']).toMatchObject({ latencyUsP50: 6 });
    expect(medians['own']).not.toHaveProperty('latencyUsP99');
  });

  it('names the peer with the highest median as the best', () => {
    const rounds = [
      round({ own: 1, a: 90, b: 20 }),
      round({ own: 1, a: 10, b: 20 }),
      round({ own: 1, a: 10, b: 20 }),
    ];
    expect(summarise('own', rounds).ratio?.bestPeer).toBe('b');
  });

  it('gives no ratio without the subject, and no median for a server that never answered', () => {
    expect(summarise('own', [round({ a: 10 })])).toEqual({
      medians: { a: { value: 10, serverCpuUs: 1, clientCpuUs: 1 } },
    });
    expect(summarise('own', [])).toEqual({ medians: {} });
  });
});
