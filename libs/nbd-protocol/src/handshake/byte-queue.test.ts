import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteQueue } from './byte-queue.js';

test('bytes leave as they came, in whatever portions', () => {
  const taken = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 900 }));
  const action = fc.record({ pushed: fc.uint8Array({ maxLength: 700, size: 'max' }), taken });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 20, size: 'max' }), (actions) => {
      const queue = new ByteQueue();
      let model = Buffer.alloc(0);
      for (const { pushed, taken } of actions) {
        queue.push(pushed);
        model = Buffer.concat([model, pushed]);
        const count = Math.min(taken, queue.length);
        expect(Buffer.compare(queue.take(count), model.subarray(0, count))).toBe(0);
        model = model.subarray(count);
        expect(Buffer.compare(queue.peek(), model)).toBe(0);
        expect(queue.length).toBe(model.length);
      }
    }),
  );
});

test('what is pushed is copied', () => {
  const queue = new ByteQueue();
  const chunk = Buffer.from('mine');
  queue.push(chunk);
  chunk.fill(0);
  expect(Buffer.from(queue.peek()).toString()).toBe('mine');
});

test('only bytes that are there are taken', () => {
  expect(() => new ByteQueue().take(1)).toThrow('only bytes that are there');
});
