import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConnectingSlots } from './connecting-slots.js';
import { CONNECTING_MAX, CONNECTING_WAIT_MS } from './limits.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('Law 5 a chain of sessions that wait for each other ends, refused from its last on', async () => {
  const slots = new ConnectingSlots();
  let deepest = 0;
  const nest = async (depth: number): Promise<void> => {
    await slots.within(async () => {
      deepest = depth;
      await nest(depth + 1);
    });
  };
  const outcome = expect(nest(1)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await vi.advanceTimersByTimeAsync(CONNECTING_WAIT_MS);
  await outcome;
  expect(deepest).toBe(CONNECTING_MAX);
  // All slots are free again.
  expect(await slots.within(() => Promise.resolve('served'))).toBe('served');
});

test('more than there are slots connect one after the other', async () => {
  const slots = new ConnectingSlots();
  let now = 0;
  let most = 0;
  const all = Array.from({ length: 3 * CONNECTING_MAX }, () =>
    slots.within(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 10));
      now--;
    }),
  );
  await vi.advanceTimersByTimeAsync(CONNECTING_WAIT_MS - 1);
  await Promise.all(all);
  expect(most).toBe(CONNECTING_MAX);
});

test('a slot comes back when connecting fails', async () => {
  const slots = new ConnectingSlots();
  for (let attempt = 0; attempt < 2 * CONNECTING_MAX; attempt++) {
    await expect(slots.within(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  }
});
