import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PinShard } from './pin-shard.js';
import { BUFFERS_MAX, REQUESTS_MAX, SHARD_BYTES } from './shard-layout.js';
import { ShardView } from './shard-view.js';
import { Variant, variantNames } from './variant.js';

const LAYERS = 2;
const ENDED = 63;

/** What a request is, by the simplest account of it. */
interface Model {
  readonly request: number;
  readonly variant: Variant;
  readonly buffer: number;
  readonly layer: number;
  readonly segments: number[];
  done: boolean;
}

const variant = fc.constantFrom(...Object.values(Variant));
const buffer = fc.nat({ max: BUFFERS_MAX - 1 });
const layer = fc.nat({ max: LAYERS - 1 });
const site = fc.nat({ max: 62 });
/** Which of the requests so far, in-flight and completed. */
const which = fc.nat({ max: 20 });

const action = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const), variant, buffer, layer, site }),
  fc.record({
    kind: fc.constant('add' as const),
    which,
    bytes: fc.nat({ max: 1 << 25 }),
    stray: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('complete' as const), which, site }),
  // Whatever it says may be wrong.
  fc.record({ kind: fc.constant('release' as const), which, variant, layer, site }),
  fc.record({ kind: fc.constant('hold' as const), buffer, site }),
  fc.record({ kind: fc.constant('drop' as const), buffer, site }),
);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** What must be true after every step. */
function expectAgreement(view: ShardView, models: readonly Model[], held: readonly number[]): void {
  const flying = models.filter(({ done }) => !done);
  for (let index = 0; index < BUFFERS_MAX; index++) {
    const ofBuffer = flying.filter((model) => model.buffer === index);
    const count = (wanted: (model: Model) => boolean) =>
      sum(ofBuffer.filter(wanted).map(({ segments }) => segments.length));
    const pins = count((model) => model.variant === Variant.pinned);
    const references = count((model) => model.variant !== Variant.pinned) + (pins > 0 ? 1 : 0);
    expect(view.buffer(index)).toEqual({ pins, references: references + (held[index] ?? 0) });
  }
  const { variants } = view.totals();
  for (const [index, name] of variantNames.entries()) {
    const all = models.filter((model) => model.variant === index);
    const released = all.filter(({ done }) => done);
    expect(variants[name]).toEqual({
      acquired: sum(all.map(({ segments }) => segments.length)),
      released: sum(released.map(({ segments }) => segments.length)),
      acquiredBytes: sum(all.flatMap(({ segments }) => segments)),
      releasedBytes: sum(released.flatMap(({ segments }) => segments)),
    });
  }
  expect(view.outstandingSegments()).toBe(sum(flying.map(({ segments }) => segments.length)));
}

test('E1–E12 whatever is done in whatever order, right or wrong, the account says what a simple model says', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const memory = new SharedArrayBuffer(SHARD_BYTES);
      const shard = new PinShard(memory);
      const view = new ShardView(memory);
      const models: Model[] = [];
      const held = new Array<number>(BUFFERS_MAX).fill(0);
      let violations = 0;
      for (const step of actions) {
        const model = 'which' in step ? models[step.which % Math.max(1, models.length)] : undefined;
        switch (step.kind) {
          case 'begin': {
            if (models.filter(({ done }) => !done).length === REQUESTS_MAX) break;
            const request = shard.begin(step.variant, step.layer, step.buffer, step.site);
            models.push({ ...step, request, segments: [], done: false });
            break;
          }
          case 'add': {
            if (model === undefined) break;
            const into = step.stray ? (model.buffer + 1) % BUFFERS_MAX : model.buffer;
            const fits = !model.done && !step.stray;
            expect(shard.add(model.request, model.variant, into, step.bytes)).toBe(fits);
            if (fits) model.segments.push(step.bytes);
            else violations += 1;
            break;
          }
          case 'complete':
          case 'release': {
            if (model === undefined) break;
            const said = { variant: model.variant, layer: model.layer, ...step };
            const fits = !model.done && said.variant === model.variant && said.layer === model.layer;
            expect(shard.complete(model.request, said.variant, said.layer, step.site)).toBe(fits);
            if (fits) model.done = true;
            else violations += 1;
            break;
          }
          case 'hold':
            shard.hold(step.buffer, step.site);
            held[step.buffer] = (held[step.buffer] ?? 0) + 1;
            break;
          case 'drop': {
            const fits = (held[step.buffer] ?? 0) > 0;
            expect(shard.drop(step.buffer, step.site)).toBe(fits);
            if (fits) held[step.buffer] = (held[step.buffer] ?? 0) - 1;
            else violations += 1;
            break;
          }
        }
        expect(view.violationCount).toBe(violations);
        expectAgreement(view, models, held);
      }
      const leaks = models.filter(({ done }) => !done).length + held.filter((count) => count > 0).length;
      shard.settle(ENDED);
      expect(view.totals().violations.leak).toBe(leaks);
      expect(view.isBalanced).toBe(violations + leaks === 0);
      // E10: settling releases nothing.
      expectAgreement(view, models, held);
    }),
    { numRuns: 400 },
  );
});

test('E3 generations wrap around without a request being taken for another in flight', () => {
  const shard = new PinShard(new SharedArrayBuffer(SHARD_BYTES));
  const first = shard.begin(Variant.pinned, 0, 0, ENDED);
  let seenAgain = false;
  for (let count = 0; count < (1 << 21) + 10; count++) {
    const request = shard.begin(Variant.pinned, 0, 0, ENDED);
    seenAgain ||= request === first || request <= 0;
    shard.complete(request, Variant.pinned, 0, ENDED);
  }
  expect(seenAgain).toBe(false);
});
