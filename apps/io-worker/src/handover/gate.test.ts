import { expect, test, vi } from 'vitest';
import { Gate } from './gate.js';

const soon = () => new Promise(setImmediate);

test('an open gate lets everybody in, and passes on what is answered and thrown', async () => {
  const gate = new Gate();
  expect(await gate.pass(() => 7)).toBe(7);
  await expect(gate.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(
    gate.pass(() => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
  expect(gate.inside).toBe(0);
});

test('a gate that closes waits for those inside, also for one that fails', async () => {
  const gate = new Gate();
  let finish: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const one = gate.pass(() => new Promise<void>((resolve) => (finish = resolve)));
  const other = gate.pass(() => new Promise<void>((_resolve, reject) => (fail = reject)));
  const closed = vi.fn();
  void gate.close().then(closed);
  finish();
  await one;
  await soon();
  expect(closed).not.toHaveBeenCalled();
  fail(new Error('no'));
  await expect(other).rejects.toThrow('no');
  await soon();
  expect(closed).toHaveBeenCalledTimes(1);
});

test('an empty gate closes at once', async () => {
  await new Gate().close();
});

test('Law 4 who comes while it is closed waits, and is let in when it opens', async () => {
  const gate = new Gate();
  await gate.close();
  const act = vi.fn(() => 'done');
  const passing = gate.pass(act);
  await soon();
  expect(act).not.toHaveBeenCalled();
  gate.open();
  expect(await passing).toBe('done');
});

test('Law 1 nobody passes a gate that is shut, nor who has waited before it', async () => {
  const gate = new Gate();
  await gate.close();
  const act = vi.fn();
  const before = gate.pass(act);
  gate.shut();
  await expect(before).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
  await expect(gate.pass(act)).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
  expect(act).not.toHaveBeenCalled();
});

test('Law 2 who waits for too long is told so, and is not let in afterwards', async () => {
  const gate = new Gate(20);
  await gate.close();
  const act = vi.fn();
  await expect(gate.pass(act)).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
  gate.open();
  await soon();
  expect(act).not.toHaveBeenCalled();
  await gate.pass(act);
  expect(act).toHaveBeenCalledTimes(1);
});
