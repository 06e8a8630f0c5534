import { EventEmitter, once } from 'node:events';
import path from 'node:path';
import { TestFolder } from '@holdfast/linux/testing/folder';
import { expect, onTestFinished, test } from 'vitest';
import { Wants } from './wants.js';

function folder(): string {
  const made = new TestFolder();
  onTestFinished(() => {
    made[Symbol.dispose]();
  });
  return path.join(made.path, 'run');
}

test('what a guest wants is known to the next process, whatever the names hold', async () => {
  const place = folder();
  const names = ['vm1', '..', 'a b%2F', 'ü'.repeat(127)];
  for (const name of names) {
    await new Wants(place).exclusive(name, async () => {
      new Wants(place).add(name, `guest of ${name}`);
      await Promise.resolve();
    });
  }
  for (const name of names) expect(new Wants(place).of(`guest of ${name}`)).toEqual([name]);
  expect(new Wants(place).of('nobody')).toEqual([]);
});

test('the last guest to go is told that it is the last', async () => {
  const wants = new Wants(folder());
  await wants.exclusive('disk', async () => {
    wants.add('disk', 'one');
    wants.add('disk', 'two');
    expect(wants.remove('disk', 'one')).toBe(true);
    expect(wants.remove('disk', 'two')).toBe(false);
    expect(wants.remove('disk', 'two')).toBe(false);
    await Promise.resolve();
  });
});

test('one at a time for a device, and others meanwhile for others', async () => {
  const place = folder();
  const order: string[] = [];
  const door = new EventEmitter();
  const first = new Wants(place).exclusive('disk', async () => {
    order.push('first in');
    await once(door, 'leave');
    order.push('first out');
  });
  const second = new Wants(place).exclusive('disk', async () => {
    order.push('second in');
    await Promise.resolve();
  });
  await new Wants(place).exclusive('other', async () => {
    order.push('other');
    await Promise.resolve();
  });
  door.emit('leave');
  await Promise.all([first, second]);
  expect(order).toEqual(['first in', 'other', 'first out', 'second in']);
});

test('an action that fails leaves the device to the next', async () => {
  const wants = new Wants(folder());
  await expect(wants.exclusive('disk', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(wants.exclusive('disk', () => Promise.resolve('yes'))).resolves.toBe('yes');
});
