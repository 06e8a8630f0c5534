import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { BLOCK_LOCK_BYTES, BlockLock, HELD_LOCKS_BYTES } from './block-lock.js';

const REGION = 64 * 1024;
const memory = () => new SharedArrayBuffer(BLOCK_LOCK_BYTES);

/** Whether it has resolved by now, or as soon as whatever can go on has gone on. */
async function isTaken(taking: Promise<unknown>): Promise<boolean> {
  const later = new Promise<false>((resolve) => setTimeout(resolve, 20, false));
  return Promise.race([taking.then(() => true), later]);
}

test('who writes whole blocks shares them', async () => {
  const lock = new BlockLock(memory());
  lock.take(0, 10 * REGION, false);
  expect(await isTaken(lock.takeOnLoop(REGION, 512, false))).toBe(true);
});

test('who writes a part of a block waits for those before, and keeps out those behind', async () => {
  const lock = new BlockLock(memory());
  const sharing = lock.take(0, 4096, false);
  const alone = lock.takeOnLoop(512, 100, true);
  const behind = lock.takeOnLoop(8192, 4096, false);
  expect(await isTaken(alone)).toBe(false);
  expect(await isTaken(behind)).toBe(false);
  lock.release(sharing);
  expect(await isTaken(alone)).toBe(true);
  expect(await isTaken(behind)).toBe(false);
  lock.release(await alone);
  expect(await isTaken(behind)).toBe(true);
});

test.each([true, false])(
  'what a thread had that is no more is released, and no more than that',
  async (alone) => {
    const [shared, held] = [memory(), new SharedArrayBuffer(HELD_LOCKS_BYTES)];
    const [lock, thread] = [new BlockLock(shared), new BlockLock(shared, held)];
    thread.release(thread.take(0, 70 * REGION, true));
    const other = lock.take(2 * REGION, REGION, false);
    if (!alone) lock.take(60 * REGION, REGION, false);
    thread.take(40 * REGION, 20 * REGION, alone);
    const waiting = lock.takeOnLoop(59 * REGION, REGION, true);
    expect(await isTaken(waiting)).toBe(false);
    lock.releaseOf(held);
    expect(await isTaken(waiting)).toBe(true);
    expect(await isTaken(lock.takeOnLoop(2 * REGION, REGION, true))).toBe(false);
    lock.release(other);
    lock.releaseOf(held);
  },
);

test('elsewhere on the device nobody waits', async () => {
  const lock = new BlockLock(memory());
  lock.take(0, REGION, true);
  expect(await isTaken(lock.takeOnLoop(REGION, REGION, true))).toBe(true);
});

test('a range over all locks and one over the end and the beginning of them wait for each other', async () => {
  const lock = new BlockLock(memory());
  const all = lock.take(0, 1000 * REGION, true);
  const around = lock.takeOnLoop(63 * REGION, 2 * REGION, true);
  expect(await isTaken(around)).toBe(false);
  lock.release(all);
  expect(await isTaken(around)).toBe(true);
});

test('many who take ranges that overlap in any order all have their turn', async () => {
  const lock = new BlockLock(memory());
  let alone = 0;
  let sharing = 0;
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const isAlone = index % 3 === 0;
      const range = await lock.takeOnLoop(((index * 37) % 130) * REGION, 80 * REGION, isAlone);
      if (isAlone) alone++;
      else sharing++;
      // All of these overlap: 80 of 64 locks.
      expect(isAlone ? alone === 1 && sharing === 0 : alone === 0).toBe(true);
      await new Promise(setImmediate);
      if (isAlone) alone--;
      else sharing--;
      lock.release(range);
    }),
  );
});

test('a thread that sleeps is woken by the event loop, and the other way around', async () => {
  const shared = memory();
  const lock = new BlockLock(shared);
  const url = new URL('../../dist/direct/block-lock.js', import.meta.url).href;
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(${JSON.stringify(url)}).then(({ BlockLock }) => {
       const lock = new BlockLock(workerData);
       parentPort.on('message', () => {
         const range = lock.take(0, 512, true);
         parentPort.postMessage('taken');
         setTimeout(() => lock.release(range), 50);
       });
       parentPort.postMessage('ready');
     });`,
    { eval: true, workerData: shared },
  );
  onTestFinished(async () => {
    await worker.terminate();
  });
  const message = () => new Promise((resolve) => worker.once('message', resolve));
  await message();
  const range = lock.take(0, 512, false);
  worker.postMessage('take');
  const taken = message();
  expect(await isTaken(taken)).toBe(false);
  lock.release(range);
  expect(await taken).toBe('taken');
  expect(await isTaken(lock.takeOnLoop(0, 512, false))).toBe(false);
});
