import { expect, test } from 'vitest';
import { FlushDoubt, WriteLedger } from './write-ledger.js';

test('T13 a loss puts in doubt what was answered and not flushed, once for each session', () => {
  const ledger = new WriteLedger();
  const [one, other] = [new FlushDoubt(ledger), new FlushDoubt(ledger)];
  ledger.answered(ledger.era);
  ledger.connectionLost();
  ledger.connectionLost();
  expect([one.take(), one.take(), other.take(), other.take()]).toEqual([true, false, true, false]);
});

test('T13 a FLUSH reaches the writes that were answered before it was sent, and no others', () => {
  const ledger = new WriteLedger();
  const doubt = new FlushDoubt(ledger);
  ledger.answered(ledger.era);
  const { mark } = ledger;
  ledger.answered(ledger.era);
  ledger.flushedUpTo(mark);
  ledger.connectionLost();
  expect(doubt.take()).toBe(true);
  ledger.answered(ledger.era);
  ledger.flushedUpTo(ledger.mark);
  ledger.connectionLost();
  expect(doubt.take()).toBe(false);
});

test('T13 an answer that is seen only after its connection was lost is in doubt at once', () => {
  const ledger = new WriteLedger();
  const doubt = new FlushDoubt(ledger);
  const { era } = ledger;
  ledger.connectionLost();
  expect(doubt.take()).toBe(false);
  ledger.answered(era);
  expect(doubt.take()).toBe(true);
});

test('T13 a session that begins after a loss is not told of it', () => {
  const ledger = new WriteLedger();
  ledger.answered(ledger.era);
  ledger.connectionLost();
  expect(new FlushDoubt(ledger).take()).toBe(false);
});
