import { expect, it } from 'vitest';
import { blockBytes, Region } from './region.js';

const region = () => new Region(3, 0, 16);

it('takes what was written, and zeroes where nothing was', () => {
  const own = region();
  const { data, written } = own.prepare(2, 3);
  written();
  expect(own.check(2, data)).toBeUndefined();
  expect(own.check(0, Buffer.alloc(2 * blockBytes))).toBeUndefined();
});

it('finds a byte that is wrong, a block that stands elsewhere, and one of another region', () => {
  const own = region();
  const { data, written } = own.prepare(0, 2);
  written();
  const wrong = Buffer.from(data);
  wrong[blockBytes + 77] = (wrong[blockBytes + 77] ?? 0) ^ 1;
  expect(own.check(0, wrong)).toMatch('block 1 of region 3 is not what was written');
  expect(own.check(1, data.subarray(0, blockBytes))).toMatch('block 1');
  expect(own.check(0, new Region(4, 0, 16).prepare(0, 1).data)).toMatch('block 0');
});

it('finds an old generation after a write that was answered', () => {
  const own = region();
  const old = own.prepare(5, 1);
  old.written();
  own.prepare(5, 1).written();
  expect(own.check(5, old.data)).toMatch('block 5');
});

it('takes the old or the new after a write that was not answered, and from then on the one that was seen', () => {
  const own = region();
  const old = own.prepare(5, 1);
  old.written();
  const unanswered = own.prepare(5, 1);
  expect(own.check(5, unanswered.data)).toBeUndefined();
  expect(own.check(5, old.data)).toMatch('block 5');
});
