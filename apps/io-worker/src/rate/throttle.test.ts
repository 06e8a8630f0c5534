import { Command } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { CACHE_BYTES_MAX } from '../engine/cache-limits.js';
import { WAIT_MS_MAX } from './limits.js';
import { SharedLimit } from './shared-limit.js';
import { Throttle } from './throttle.js';

const MS = 1_000_000n;

class Scene {
  now = 1_000_000n * MS;
  readonly limit = new SharedLimit();

  session(): Throttle {
    return new Throttle(this.limit, () => this.now);
  }
}

const read = (throttle: Throttle, bytes = 4096) => throttle.admits(Command.READ, bytes);

describe('a throttle', () => {
  test('lets everything begin where there is no limit', () => {
    const throttle = new Scene().session();
    for (let i = 0; i < 1000; i++) expect(read(throttle, 2 ** 25)).toBe(true);
    expect(read(new Throttle())).toBe(true);
  });

  test('takes for a request once, however often it is asked', () => {
    const scene = new Scene();
    scene.limit.set({ iops: 100, bytesPerSecond: 0, burstMs: 10 });
    const throttle = scene.session();
    expect([read(throttle), read(throttle), read(throttle), read(throttle)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(throttle.waitMs).toBe(10);
    scene.now += 10n * MS;
    expect([read(throttle), read(throttle)]).toEqual([true, false]);
  });

  test('lets one request go when its session is to come to rest, on the account', () => {
    const scene = new Scene();
    scene.limit.set({ iops: 100, bytesPerSecond: 0, burstMs: 10 });
    const throttle = scene.session();
    expect([read(throttle), read(throttle), read(throttle)]).toEqual([true, true, false]);
    throttle.hurry();
    expect([read(throttle), read(throttle)]).toEqual([true, false]);
    expect(throttle.waitMs).toBe(20);
  });

  test('serves sessions that wait in turn', () => {
    const scene = new Scene();
    scene.limit.set({ iops: 100, bytesPerSecond: 0, burstMs: 10 });
    const [first, second] = [scene.session(), scene.session()];
    expect([read(first), read(first), read(first), read(second)]).toEqual([true, true, false, false]);
    for (let turn = 0; turn < 10; turn++) {
      scene.now += 10n * MS;
      const begun = [read(first), read(second)];
      expect(begun).toEqual(turn % 2 === 0 ? [true, false] : [false, true]);
    }
  });

  test('looks again after a while, and goes on under a limit that was changed', () => {
    const scene = new Scene();
    scene.limit.set({ iops: 0, bytesPerSecond: 65_536, burstMs: 10 });
    const throttle = scene.session();
    expect([read(throttle, 2 ** 25), read(throttle)]).toEqual([true, false]);
    expect(throttle.waitMs).toBe(WAIT_MS_MAX);
    scene.limit.set({ iops: 1000, bytesPerSecond: 0, burstMs: 10 });
    expect(read(throttle)).toBe(true);
    scene.limit.set({ iops: 1, bytesPerSecond: 0, burstMs: 10 });
    expect([read(throttle), read(throttle)]).toEqual([true, false]);
    scene.limit.set({ iops: 0, bytesPerSecond: 0, burstMs: 10 });
    expect(read(throttle)).toBe(true);
  });

  test('that is waived waits no more, and others pay for it', () => {
    const scene = new Scene();
    scene.limit.set({ iops: 100, bytesPerSecond: 0, burstMs: 10 });
    const [gone, other] = [scene.session(), scene.session()];
    gone.waive();
    for (let i = 0; i < 12; i++) expect(read(gone)).toBe(true);
    expect(read(other)).toBe(false);
    expect(other.waitMs).toBe(110);
  });

  test('counts of a CACHE no more than is read', () => {
    const scene = new Scene();
    scene.limit.set({ iops: 0, bytesPerSecond: CACHE_BYTES_MAX, burstMs: 10 });
    const throttle = scene.session();
    expect([throttle.admits(Command.CACHE, 2 ** 40), read(throttle)]).toEqual([true, false]);
    scene.now += 1000n * MS;
    expect(read(throttle)).toBe(true);
  });
});
