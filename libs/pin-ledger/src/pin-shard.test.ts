import { describe, expect, test } from 'vitest';
import { outstandingOf } from './ledger-totals.js';
import { PinShard } from './pin-shard.js';
import { REQUESTS_MAX, SHARD_BYTES } from './shard-layout.js';
import { ShardView } from './shard-view.js';
import { Variant } from './variant.js';

const { pinned, referenced, transferred } = Variant;
const ENGINE = 0;
const DEVICE = 1;
const OUTPUT = 0;
const ZEROES = 1;
/** Sites. */
const READ = 1;
const WRITE = 2;
const SENT = 3;
const ENDED = 4;

function makeShard() {
  const memory = new SharedArrayBuffer(SHARD_BYTES);
  return { shard: new PinShard(memory), view: new ShardView(memory) };
}

describe('what was acquired', () => {
  test('E1 pins are counted apart from references: the first pin takes one, the last unpin drops it', () => {
    const { shard, view } = makeShard();
    const first = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 1, references: 1 });
    const second = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    shard.add(second, pinned, OUTPUT, 512);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 3, references: 1 });
    shard.complete(second, pinned, ENGINE, SENT);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 1, references: 1 });
    shard.complete(first, pinned, ENGINE, SENT);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 0, references: 0 });
    expect(view.isBalanced).toBe(true);
  });

  test('E2 is released by the layer that acquired it; lower layers neither get nor put', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    expect(shard.complete(request, pinned, DEVICE, WRITE)).toBe(false);
    expect(view.buffer(OUTPUT).pins).toBe(1);
    expect(view.violations()).toMatchObject([{ kind: 'wrong-layer', acquireSite: READ, releaseSite: WRITE }]);
    expect(shard.complete(request, pinned, ENGINE, SENT)).toBe(true);
    expect(view.buffer(OUTPUT).pins).toBe(0);
  });

  test('E3 is released by its completion exactly once: a second one is an underflow with both sites', () => {
    const { shard, view } = makeShard();
    shard.tick(77);
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    const other = shard.acquire(pinned, ENGINE, OUTPUT, 512, WRITE);
    shard.complete(request, pinned, ENGINE, SENT);
    expect(shard.complete(request, pinned, ENGINE, ENDED)).toBe(false);
    expect(view.violations()).toEqual([
      {
        kind: 'underflow',
        variant: 'pinned',
        buffer: OUTPUT,
        acquireSite: READ,
        releaseSite: ENDED,
        segments: 0,
        bytes: 0,
        atMs: 77,
      },
    ]);
    expect(view.buffer(OUTPUT).pins).toBe(1);
    expect(view.totals().variants.pinned).toMatchObject({ acquired: 2, released: 1 });
    expect(shard.complete(other, pinned, ENGINE, SENT)).toBe(true);
  });

  test('E3 a completion of what has been completed spares the request that has its place now', () => {
    const { shard, view } = makeShard();
    const old = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    shard.complete(old, pinned, ENGINE, SENT);
    const next = shard.acquire(pinned, ENGINE, OUTPUT, 512, WRITE);
    expect(shard.complete(old, pinned, ENGINE, SENT)).toBe(false);
    expect(view.violations()).toMatchObject([{ kind: 'underflow', acquireSite: READ, releaseSite: SENT }]);
    expect(view.outstanding()).toMatchObject([{ request: next, segments: 1, bytes: 512 }]);
  });

  test('E3 a failed submit: a request that got no segment releases nothing', () => {
    const { shard, view } = makeShard();
    const request = shard.begin(pinned, ENGINE, OUTPUT, READ);
    expect(view.outstanding()).toEqual([]);
    expect(shard.complete(request, pinned, ENGINE, ENDED)).toBe(true);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 0, references: 0 });
    expect(view.isBalanced).toBe(true);
  });
});

describe('variants', () => {
  test('E4 the variant is chosen when a request is filled: requests of different ones stay apart', () => {
    const { shard, view } = makeShard();
    const requests = [pinned, referenced, transferred].map((variant) => ({
      variant,
      request: shard.acquire(variant, ENGINE, OUTPUT, 100, READ),
    }));
    expect(view.outstanding().map(({ variant, segments }) => [variant, segments])).toEqual([
      ['pinned', 1],
      ['referenced', 1],
      ['transferred', 1],
    ]);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 1, references: 3 });
    for (const { request, variant } of requests) shard.complete(request, variant, ENGINE, SENT);
    expect(view.isBalanced).toBe(true);
  });

  test('E5 a mixed request is refused: the segment is not acquired, those before it stay', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    expect(shard.add(request, referenced, OUTPUT, 512)).toBe(false);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 1, references: 1 });
    expect(view.violations()).toMatchObject([{ kind: 'mixed-request', acquireSite: READ }]);
    expect(view.totals().variants.referenced.acquired).toBe(0);
    shard.complete(request, pinned, ENGINE, SENT);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 0, references: 0 });
  });

  test('E6 the shared buffer of zeroes is treated alike on both sides: 10,000,000 reads of it balance', () => {
    const { shard, view } = makeShard();
    for (let batch = 0; batch < 100_000; batch++) {
      const request = shard.begin(referenced, DEVICE, ZEROES, READ);
      for (let read = 0; read < 100; read++) shard.add(request, referenced, ZEROES, 4096);
      shard.complete(request, referenced, DEVICE, SENT);
    }
    expect(view.totals().variants.referenced).toEqual({
      acquired: 10_000_000,
      released: 10_000_000,
      acquiredBytes: 40_960_000_000,
      releasedBytes: 40_960_000_000,
    });
    expect(view.isBalanced).toBe(true);
  }, 120_000);

  test('E7 one buffer feeds many requests, but no request is fed by two buffers', () => {
    const { shard, view } = makeShard();
    const requests = [READ, WRITE].map((site) => shard.acquire(pinned, ENGINE, OUTPUT, 4096, site));
    expect(view.buffer(OUTPUT).pins).toBe(2);
    for (const request of requests) expect(shard.add(request, pinned, ZEROES, 4096)).toBe(false);
    expect(view.totals().violations['mixed-request']).toBe(2);
    expect(view.buffer(ZEROES)).toEqual({ pins: 0, references: 0 });
  });

  test('E8 what was handed over has one reference, which completion drops: then it may be freed', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(transferred, ENGINE, OUTPUT, 300, READ);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 0, references: 1 });
    shard.complete(request, transferred, ENGINE, SENT);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 0, references: 0 });
    expect(view.totals().variants.transferred).toMatchObject({ acquiredBytes: 300, releasedBytes: 300 });
  });
});

describe('violations', () => {
  test('E9 a release of the wrong kind is counted, carries both sites, and frees nothing', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    expect(shard.complete(request, referenced, ENGINE, SENT)).toBe(false);
    expect(view.violations()).toMatchObject([
      { kind: 'wrong-kind', variant: 'pinned', acquireSite: READ, releaseSite: SENT },
    ]);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 1, references: 1 });
    expect(shard.maybePinned(OUTPUT)).toBe(true);
  });

  test('E9 a reference that nobody holds cannot be dropped', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    shard.hold(OUTPUT, READ);
    expect(shard.drop(OUTPUT, SENT)).toBe(true);
    expect(shard.drop(OUTPUT, ENDED)).toBe(false);
    expect(view.violations()).toMatchObject([{ kind: 'underflow', acquireSite: READ, releaseSite: ENDED }]);
    // That of the pin is still there.
    expect(view.buffer(OUTPUT)).toEqual({ pins: 1, references: 1 });
    shard.complete(request, pinned, ENGINE, SENT);
  });

  test('E9 more than are kept are counted, and the first of them stay', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    shard.complete(request, pinned, DEVICE, WRITE);
    shard.complete(request, pinned, ENGINE, SENT);
    for (let again = 0; again < 1000; again++) shard.complete(request, pinned, ENGINE, SENT);
    expect(view.totals().violations).toMatchObject({ 'wrong-layer': 1, underflow: 1000 });
    expect(view.violations()).toHaveLength(32);
    expect(view.violations()[0]).toMatchObject({ kind: 'wrong-layer' });
  });

  test('E10 what is left at rest is a leak with both sites, and stays held', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    shard.add(request, pinned, OUTPUT, 512);
    shard.hold(ZEROES, WRITE);
    shard.settle(ENDED);
    expect(view.violations()).toMatchObject([
      { kind: 'leak', acquireSite: READ, releaseSite: ENDED, segments: 2, bytes: 4608 },
      { kind: 'leak', variant: 'referenced', acquireSite: WRITE, releaseSite: ENDED, segments: 1 },
    ]);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 2, references: 1 });
    expect(outstandingOf(view.totals().variants.pinned)).toBe(2);
    expect(view.isBalanced).toBe(false);
  });

  test('E10 nothing is acquired by what was completed', () => {
    const { shard, view } = makeShard();
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    shard.complete(request, pinned, ENGINE, SENT);
    expect(shard.add(request, pinned, OUTPUT, 4096)).toBe(false);
    expect(view.totals().violations.underflow).toBe(1);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 0, references: 0 });
  });

  test('E10 requests that are never completed end in an error, not in growth', () => {
    const { shard } = makeShard();
    for (let count = 0; count < REQUESTS_MAX; count++) shard.acquire(pinned, ENGINE, OUTPUT, 1, READ);
    expect(() => shard.acquire(pinned, ENGINE, OUTPUT, 1, READ)).toThrow('never completed');
  });
});

describe('a buffer', () => {
  test('E11 extra references disturb nothing: neither pins nor what may be reused', () => {
    const { shard, view } = makeShard();
    shard.hold(OUTPUT, READ);
    const request = shard.acquire(pinned, ENGINE, OUTPUT, 4096, READ);
    shard.hold(OUTPUT, READ);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 1, references: 3 });
    shard.complete(request, pinned, ENGINE, SENT);
    expect(view.buffer(OUTPUT)).toEqual({ pins: 0, references: 2 });
    expect(shard.maybePinned(OUTPUT)).toBe(false);
    shard.drop(OUTPUT, SENT);
    shard.drop(OUTPUT, SENT);
    shard.settle(ENDED);
    expect(view.isBalanced).toBe(true);
  });

  test('E12 may not be reused while it is pinned, whatever else was released', () => {
    const { shard } = makeShard();
    expect(shard.maybePinned(OUTPUT)).toBe(false);
    const [first, second] = [READ, WRITE].map((site) => shard.acquire(pinned, ENGINE, OUTPUT, 4096, site));
    shard.complete(first ?? 0, pinned, ENGINE, SENT);
    expect(shard.maybePinned(OUTPUT)).toBe(true);
    expect(shard.maybePinned(ZEROES)).toBe(false);
    shard.complete(second ?? 0, pinned, ENGINE, SENT);
    expect(shard.maybePinned(OUTPUT)).toBe(false);
  });

  test('E12 a reference alone does not keep it from being reused', () => {
    const { shard } = makeShard();
    shard.acquire(referenced, ENGINE, OUTPUT, 4096, READ);
    expect(shard.maybePinned(OUTPUT)).toBe(false);
  });
});
