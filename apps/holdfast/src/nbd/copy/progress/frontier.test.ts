import { expect, it } from 'vitest';
import { Frontier } from './frontier.js';

it('is reached only up to the first piece that is not finished, in whatever order they finish', () => {
  const frontier = new Frontier(100n);
  expect(frontier.reached).toBe(100n);
  frontier.begin(100n, 10n);
  frontier.begin(110n, 10n);
  frontier.begin(120n, 10n);
  frontier.finish(120n);
  frontier.finish(110n);
  expect(frontier.reached).toBe(100n);
  frontier.finish(100n);
  expect(frontier.reached).toBe(130n);
  frontier.begin(130n, 10n);
  expect(frontier.reached).toBe(130n);
});
