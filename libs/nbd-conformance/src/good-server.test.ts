import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { modelOf, MODEL_FLAGS } from './testing/model-export.js';
import { serveModel } from './testing/model-server.js';
import { tlsContext } from './testing/tls-context.js';

/** The rules that a check never tries. */
const UNTRIABLE = ['N10', 'T10', 'T17'];

async function outcomesOf(uri: string, write: boolean) {
  const { verdicts, notRestored } = await check(uri, { write, answerMs: 2_000 });
  expect(notRestored).toBeUndefined();
  return verdicts.filter(({ rule }) => !UNTRIABLE.includes(rule));
}

describe('a good server', () => {
  it('keeps every rule, and holds afterwards what it held before', async () => {
    const model = modelOf();
    const before = Buffer.from(model.image);
    const verdicts = await outcomesOf(await serveModel(model), true);
    const others = verdicts.filter(({ outcome }) => outcome !== 'kept');
    // Without TLS there is nothing to see of N7.
    expect(others.map(({ rule, outcome }) => [rule, outcome])).toEqual([['N7', 'not tried']]);
    expect(model.image.equals(before)).toBe(true);
  });

  it.each(['required', 'offered'] as const)('keeps every rule with TLS %s', async (mode) => {
    const model = modelOf({ tls: { mode, context: await tlsContext() } });
    const verdicts = await outcomesOf(await serveModel(model), true);
    expect(verdicts.filter(({ outcome }) => outcome !== 'kept')).toEqual([]);
  });

  it('keeps every rule with a minimum block size', async () => {
    const model = modelOf({ blockSize: [512, 4096, 65_536] });
    const verdicts = await outcomesOf(await serveModel(model), true);
    expect(verdicts.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
  });

  it('keeps every rule with an export that is read-only', async () => {
    const model = modelOf({ flags: MODEL_FLAGS | 2 });
    const verdicts = await outcomesOf(await serveModel(model), true);
    expect(verdicts.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
  });

  it('that has simple replies only is not blamed for the rest', async () => {
    const verdicts = await outcomesOf(await serveModel(modelOf({ modes: [] })), true);
    expect(verdicts.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
    for (const { rule, mode, outcome } of verdicts) {
      if (mode === 'structured' || mode === 'extended')
        expect([rule, outcome]).toEqual([rule, 'not offered']);
    }
  });

  it('is not written to without leave', async () => {
    const changes: number[] = [];
    const model = modelOf({
      faults: {
        request: ({ type }) => {
          if ([1, 4, 6].includes(type)) changes.push(type);
          return undefined;
        },
      },
    });
    const verdicts = await outcomesOf(await serveModel(model), false);
    expect(verdicts.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
    expect(changes).toEqual([]);
    const t14 = verdicts.filter(({ rule }) => rule === 'T14');
    expect(t14.map((verdict) => verdict.outcome === 'not tried' && verdict.reason)).toEqual(
      Array(3).fill('would write'),
    );
  });
});
