import { expect, it } from 'vitest';
import { estimateSeconds } from './estimate.js';
import { loads } from './loads.js';
import { readOptions } from './options.js';
import { usualServers } from './servers/all.js';

const minutes = (...args: string[]) => {
  const options = readOptions(args);
  if (options === 'help') throw new Error('help');
  return estimateSeconds(loads, usualServers, options) / 60;
};

it('a run with all loads takes less than 25 minutes unless asked for more', () => {
  expect(minutes()).toBeLessThan(25);
  expect(minutes()).toBeGreaterThan(15);
  expect(minutes('--seconds', '2')).toBeGreaterThan(25);
});
