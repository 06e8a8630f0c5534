import { toDuration, workerV1 } from '@holdfast/contracts';
import { PinLedger, PinShard, Variant } from '@holdfast/pin-ledger';
import { firstValueFrom, take, toArray } from 'rxjs';
import { beforeEach, expect, test } from 'vitest';
import { Layer, SessionBuffer, Site } from '../pins/pin-sites.js';
import { LedgerController } from './ledger.controller.js';
import { LedgerService } from './ledger.service.js';

const { PinVariant, ViolationKind } = workerV1;
const DISK = 'devices/disk/attachments/1';

let ledger: PinLedger;
let controller: LedgerController;

beforeEach(() => {
  ledger = new PinLedger();
  controller = new LedgerController(new LedgerService(ledger));
});

/** A session with one pin. */
function pinned(session: string, device = DISK) {
  const account = ledger.open({ session: `sessions/${session}`, device });
  const shard = new PinShard(account.memory);
  shard.tick(1_700_000_000_000);
  const { output } = SessionBuffer;
  const request = shard.acquire(Variant.pinned, Layer.engine, output, 4096, Site['thread.read']);
  const release = () => shard.complete(request, Variant.pinned, Layer.engine, Site['thread.sent']);
  return { account, release };
}

test('the ledger is told by variant, with bytes', () => {
  const { release } = pinned('one');
  pinned('two');
  release();
  expect(controller.getLedger()).toMatchObject({
    variants: [
      {
        variant: PinVariant.PIN_VARIANT_PINNED,
        acquired: 2n,
        released: 1n,
        outstanding: 1n,
        acquiredBytes: 8192n,
        releasedBytes: 4096n,
        outstandingBytes: 4096n,
      },
      { variant: PinVariant.PIN_VARIANT_REFERENCED, acquired: 0n },
      { variant: PinVariant.PIN_VARIANT_TRANSFERRED, acquired: 0n },
    ],
    violationCounts: [],
    violations: [],
  });
});

test('E9 violations are told with both sites', () => {
  const { release, account } = pinned('one');
  release();
  release();
  ledger.close(account, Site['session.end']);
  expect(controller.getLedger()).toMatchObject({
    violationCounts: [{ kind: ViolationKind.VIOLATION_KIND_UNDERFLOW, count: 1n }],
    violations: [
      {
        kind: ViolationKind.VIOLATION_KIND_UNDERFLOW,
        session: 'sessions/one',
        attachment: DISK,
        acquireSite: 'thread.read',
        releaseSite: 'thread.sent',
      },
    ],
  });
});

const listed = (request: Partial<workerV1.ListPinsRequest>) =>
  controller.listPins(workerV1.ListPinsRequest.fromPartial(request)).pins.map(({ session }) => session);

test('pins are listed by device, attachment and session', () => {
  pinned('one');
  pinned('two', 'devices/disk/attachments/2');
  pinned('three', 'devices/disk2/attachments/1');
  expect(listed({})).toEqual(['sessions/one', 'sessions/three', 'sessions/two']);
  expect(listed({ device: 'devices/disk' })).toEqual(['sessions/one', 'sessions/two']);
  expect(listed({ device: DISK })).toEqual(['sessions/one']);
  expect(listed({ session: 'sessions/two' })).toEqual(['sessions/two']);
  expect(listed({ session: 'sessions/two', device: DISK })).toEqual([]);
  expect(() => listed({ device: 'disk' })).toThrow('device');
});

test('a pin is told with its variant, size, age and site', () => {
  pinned('one');
  expect(controller.listPins(workerV1.ListPinsRequest.fromPartial({})).pins).toMatchObject([
    {
      session: 'sessions/one',
      attachment: DISK,
      variant: PinVariant.PIN_VARIANT_PINNED,
      buffer: 'output',
      acquireSite: 'thread.read',
      segments: 1n,
      bytes: 4096n,
      acquireTime: new Date(1_700_000_000_000),
      leaked: false,
    },
  ]);
});

test('pins come in pages', () => {
  for (const session of ['a', 'b', 'c']) pinned(session);
  const first = controller.listPins(workerV1.ListPinsRequest.fromPartial({ pageSize: 2 }));
  expect(first.pins.map(({ session }) => session)).toEqual(['sessions/a', 'sessions/b']);
  const second = controller.listPins(
    workerV1.ListPinsRequest.fromPartial({ pageSize: 2, pageToken: first.nextPageToken }),
  );
  expect(second.pins.map(({ session }) => session)).toEqual(['sessions/c']);
  expect(second.nextPageToken).toBe('');
});

const quiesce = (target: workerV1.QuiesceRequest['target'], timeoutMs: number) =>
  controller.quiesce({ target, timeout: toDuration(timeoutMs) });

test('Quiesce waits until pins are zero', async () => {
  const { release } = pinned('one');
  setTimeout(release, 50);
  expect(await quiesce({ $case: 'device', value: 'devices/disk' }, 10_000)).toEqual({ pins: [] });
});

test('Quiesce answers what is left when the time is over', async () => {
  pinned('one');
  pinned('two');
  const { pins } = await quiesce({ $case: 'session', value: 'sessions/two' }, 20);
  expect(pins).toMatchObject([{ session: 'sessions/two', segments: 1n }]);
  expect(await quiesce({ $case: 'session', value: 'sessions/three' }, 0)).toEqual({ pins: [] });
});

test('Law 5 Quiesce wants a target, and no wait of more than a minute', async () => {
  await expect(quiesce(undefined, 0)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(quiesce({ $case: 'device', value: DISK }, 60_001)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

test('a watcher is told at once, and again at the rate it asks for', async () => {
  pinned('one');
  const seen = await firstValueFrom(
    controller.watchLedger({ interval: toDuration(100) }).pipe(take(3), toArray()),
  );
  expect(seen.map(({ variants }) => variants[0]?.outstanding)).toEqual([1n, 1n, 1n]);
});

test('Law 5 nobody is told more often than ten times a second', () => {
  expect(() => controller.watchLedger({ interval: toDuration(99) })).toThrow('interval');
});
