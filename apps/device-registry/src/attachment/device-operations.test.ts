import { expect, test } from 'vitest';
import { DeviceOperations } from './device-operations.js';

function task() {
  let finish: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<string>((resolve, reject) => {
    finish = () => {
      resolve('done');
    };
    fail = reject;
  });
  return { run: () => promise, finish, fail };
}

test('one operation at a time on a device, any number on others', async () => {
  const operations = new DeviceOperations();
  const [a, b] = [task(), task()];
  const first = operations.exclusive('a', 'an attach', a.run);
  const other = operations.exclusive('b', 'an attach', b.run);
  await expect(operations.exclusive('a', 'a detach', b.run)).rejects.toMatchObject({
    code: 'DEVICE_BUSY',
    message: 'an attach of device "a" is under way',
    metadata: { device: 'a' },
  });
  a.finish();
  b.finish();
  expect(await Promise.all([first, other])).toEqual(['done', 'done']);
});

test('a device is free again after an operation that failed', async () => {
  const operations = new DeviceOperations();
  const { run, fail } = task();
  const first = operations.exclusive('a', 'an attach', run);
  fail(new Error('no such file'));
  await expect(first).rejects.toThrow('no such file');
  expect(await operations.exclusive('a', 'an attach', () => Promise.resolve(1))).toBe(1);
});

test('a repair follows what is under way, however that ends, and is itself not disturbed', async () => {
  const operations = new DeviceOperations();
  const order: string[] = [];
  const [first, second] = [task(), task()];
  const attach = () => first.run().finally(() => order.push('attach ended'));
  const operation = expect(operations.exclusive('a', 'an attach', attach)).rejects.toThrow('failed');
  const repairs = ['repair 1', 'repair 2'].map((name) =>
    operations.afterOthers('a', 'a repair', async () => {
      order.push(name);
      await second.run();
      order.push(`${name} done`);
    }),
  );
  expect(order).toEqual([]);
  first.fail(new Error('failed'));
  await operation;
  await expect(operations.exclusive('a', 'a detach', first.run)).rejects.toThrow('a repair of device "a"');
  second.finish();
  await Promise.all(repairs);
  expect(order).toEqual(['attach ended', 'repair 1', 'repair 1 done', 'repair 2', 'repair 2 done']);
});
