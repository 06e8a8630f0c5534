import { expect, test } from 'vitest';
import { PinLedger } from './pin-ledger.js';
import { PinShard } from './pin-shard.js';
import { Variant } from './variant.js';

const READ = 1;
const SENT = 2;
const ENDED = 3;

function openSession(ledger: PinLedger, session: string, device = 'disk') {
  const account = ledger.open({ session, device });
  return { account, shard: new PinShard(account.memory) };
}

test('accounts are added up, open and closed ones', () => {
  const ledger = new PinLedger();
  const [one, two] = ['one', 'two'].map((session) => openSession(ledger, session));
  for (const { shard } of [one, two].flatMap((session) => session ?? [])) {
    shard.complete(shard.acquire(Variant.pinned, 0, 0, 4096, READ), Variant.pinned, 0, SENT);
  }
  if (one !== undefined) expect(ledger.close(one.account, ENDED)).toEqual([]);
  expect(ledger.totals().variants.pinned).toEqual({
    acquired: 2,
    released: 2,
    acquiredBytes: 8192,
    releasedBytes: 8192,
  });
});

test('pins in flight are told with their owner, size, age and site', () => {
  const ledger = new PinLedger();
  const { shard } = openSession(ledger, 'one');
  openSession(ledger, 'two', 'other');
  shard.tick(1234);
  const request = shard.acquire(Variant.pinned, 0, 5, 4096, READ);
  expect(ledger.outstanding()).toEqual([
    {
      owner: { session: 'one', device: 'disk' },
      isLeaked: false,
      request,
      variant: 'pinned',
      buffer: 5,
      layer: 0,
      acquireSite: READ,
      segments: 1,
      bytes: 4096,
      sinceMs: 1234,
    },
  ]);
  expect(ledger.outstandingSegments(({ device }) => device === 'disk')).toBe(1);
  expect(ledger.outstandingSegments(({ device }) => device === 'other')).toBe(0);
});

test('E10 a session that leaked stays in the books, and keeps its device', () => {
  const ledger = new PinLedger();
  const { account, shard } = openSession(ledger, 'one');
  shard.acquire(Variant.pinned, 0, 0, 4096, READ);
  expect(ledger.close(account, ENDED)).toMatchObject([
    { kind: 'leak', acquireSite: READ, releaseSite: ENDED, owner: { session: 'one' } },
  ]);
  expect(ledger.outstandingSegments(({ device }) => device === 'disk')).toBe(1);
  expect(ledger.outstanding()).toMatchObject([{ isLeaked: true, segments: 1 }]);
  expect(ledger.totals().violations.leak).toBe(1);
  expect(ledger.violations()).toHaveLength(1);
});

test('E10 sums that do not fit each other are a violation, though nothing is known to be held', () => {
  const ledger = new PinLedger();
  const { account } = openSession(ledger, 'one');
  new Float64Array(account.memory, 0, 1)[0] = 1;
  expect(ledger.close(account, ENDED)).toMatchObject([{ kind: 'leak', releaseSite: ENDED }]);
});

test('E9 violations of a session that runs are told before it ends', () => {
  const ledger = new PinLedger();
  const { account, shard } = openSession(ledger, 'one');
  const request = shard.acquire(Variant.pinned, 0, 0, 4096, READ);
  shard.complete(request, Variant.pinned, 0, SENT);
  shard.complete(request, Variant.pinned, 0, SENT);
  expect(ledger.violations()).toMatchObject([{ kind: 'underflow', owner: { session: 'one' } }]);
  ledger.close(account, ENDED);
  expect(ledger.violations()).toHaveLength(1);
  // Nothing is left in flight, so its sums are those of the closed ones.
  expect(ledger.totals().violations.underflow).toBe(1);
  expect(ledger.outstanding()).toEqual([]);
});

test('the last 256 violations of sessions that are over are remembered, and all are counted', () => {
  const ledger = new PinLedger();
  for (let count = 0; count < 300; count++) {
    const { account, shard } = openSession(ledger, `s${String(count)}`);
    shard.drop(0, SENT);
    ledger.close(account, ENDED);
  }
  expect(ledger.violations()).toHaveLength(256);
  expect(ledger.violations()[0]?.owner.session).toBe('s44');
  expect(ledger.totals().violations.underflow).toBe(300);
});

test('an account is closed once', () => {
  const ledger = new PinLedger();
  const { account } = openSession(ledger, 'one');
  ledger.close(account, ENDED);
  expect(() => ledger.close(account, ENDED)).toThrow('closed once');
});
