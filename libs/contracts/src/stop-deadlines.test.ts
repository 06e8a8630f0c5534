import { expect, test } from 'vitest';
import { DRAIN_MS_DEFAULT, killDeadlineMs, stopDeadlineMs } from './stop-deadlines.js';

test.each([0, DRAIN_MS_DEFAULT, 60_000, 86_400_000])(
  'a service drains for %i ms, then may kill itself, then is killed',
  (drainMs) => {
    expect(stopDeadlineMs(drainMs)).toBeGreaterThan(drainMs);
    expect(killDeadlineMs(drainMs)).toBeGreaterThan(stopDeadlineMs(drainMs));
    // Node takes a longer timeout for 1 ms.
    expect(killDeadlineMs(drainMs)).toBeLessThan(2 ** 31);
  },
);
