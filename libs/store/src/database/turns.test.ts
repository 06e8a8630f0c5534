import { expect, test } from 'vitest';
import { Turns } from './turns.js';

test('turns are taken in the order of asking, one at a time', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const work = (name: string) => () => {
    seen.push(`${name} begins`);
    return new Promise<void>((resolve) => {
      setImmediate(() => {
        seen.push(`${name} ends`);
        resolve();
      });
    });
  };
  await Promise.all(['a', 'b', 'c'].map((name) => turns.run(work(name))));
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('a turn ends when its work fails', async () => {
  const turns = new Turns();
  await expect(turns.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.run(() => Promise.resolve('yes'))).toBe('yes');
});

test('ending a turn twice does not end the turn of another', async () => {
  const turns = new Turns();
  const end = await turns.take();
  const second = turns.take();
  end();
  await second;
  end();
  const third = await Promise.race([turns.take().then(() => 'taken'), Promise.resolve('waiting')]);
  expect(third).toBe('waiting');
});
