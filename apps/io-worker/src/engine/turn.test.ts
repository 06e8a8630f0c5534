import { Command } from '@holdfast/nbd-protocol';
import { expect, test } from 'vitest';
import { Turn, TURN_BYTES, TURN_REQUESTS } from './turn.js';

const everything = { admits: () => true };

/** Requests that are admitted in a turn. */
function served(turn: Turn, bytes: number): number {
  let count = 0;
  while (turn.admits(Command.READ, bytes)) count += 1;
  return count;
}

test('a turn is over after so many requests, or bytes, whichever comes first', () => {
  const turn = new Turn(everything);
  expect(served(turn, 16)).toBe(TURN_REQUESTS);
  expect(turn.isOver).toBe(true);
  turn.begin();
  expect(turn.isOver).toBe(false);
  expect(served(turn, TURN_BYTES / 4)).toBe(4);
  turn.begin();
  // One that is larger than a turn has it to itself.
  expect(served(turn, 100 * TURN_BYTES)).toBe(1);
});

test('a request that is held back for another reason does not end the turn', () => {
  let held = true;
  const turn = new Turn({ admits: () => !held });
  expect([turn.admits(Command.READ, 1), turn.isOver]).toEqual([false, false]);
  held = false;
  expect(turn.admits(Command.READ, 1)).toBe(true);
});
