import { expect, test } from 'vitest';
import { insertOnce } from './insert-once.js';

const taken = Object.assign(new Error('taken'), { code: 'P2002' });

function failing(times: number, error: Error = taken) {
  let calls = 0;
  return () => {
    calls += 1;
    return calls <= times ? Promise.reject(error) : Promise.resolve(`inserted by call ${String(calls)}`);
  };
}
const nothing = () => Promise.resolve(undefined);

test('what is there already is answered', async () => {
  expect(await insertOnce(failing(1), () => Promise.resolve('first'))).toEqual({
    record: 'first',
    existed: true,
  });
  expect(await insertOnce(failing(0), nothing)).toEqual({ record: 'inserted by call 1', existed: false });
});

test('a key that is free again when looked at is tried again, but not for ever', async () => {
  expect(await insertOnce(failing(2), nothing)).toEqual({ record: 'inserted by call 3', existed: false });
  await expect(insertOnce(failing(100), nothing)).rejects.toBe(taken);
});

test('another failure is passed on', async () => {
  const other = new Error('other');
  await expect(insertOnce(failing(1, other), () => Promise.resolve('first'))).rejects.toBe(other);
});
