import type { ReplyMode } from '@holdfast/nbd-protocol';
import { expect } from 'vitest';
import { check } from '../check.js';
import type { Evidence, Strength } from '../verdict.js';
import { modelOf, type Faults, type Model } from './model-export.js';
import { serveModel } from './model-server.js';

/** A server that breaks one rule, and how that is told. */
export interface BadServer {
  readonly rule: string;
  /** What it does. */
  readonly does: string;
  /** What the evidence says came. */
  readonly got: RegExp;
  readonly strength: Strength;
  /** Whether the check may write. Default true; one that cannot even be read from is not written to. */
  readonly write?: boolean;
  readonly faults?: Faults;
  readonly model?: Partial<Model>;
  /** Those in which it is found out; default where replies play no part. */
  readonly modes?: readonly ReplyMode[];
}

/** Checks a bad server by the one rule, which has to come out broken, with evidence. */
export async function expectBroken(bad: BadServer): Promise<void> {
  const { rule, got, strength, write = true, faults = {}, model = {}, modes = [undefined] } = bad;
  const uri = await serveModel(modelOf({ ...model, faults }));
  const { verdicts } = await check(uri, { rules: [rule], write, answerMs: 250 });
  for (const mode of modes) {
    const verdict = verdicts.find((one) => one.mode === mode);
    expect(verdict, mode).toMatchObject({ rule, outcome: 'broken', strength });
    const evidence: readonly Evidence[] = verdict?.outcome === 'broken' ? verdict.evidence : [];
    expect(evidence.map((one) => one.got).join('\n'), mode).toMatch(got);
    for (const { sent, expected, section } of evidence) expect([sent, expected, section]).not.toContain('');
  }
}
