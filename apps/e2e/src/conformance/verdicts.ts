import { check, probes, type CheckOptions, type Verdict } from '@holdfast/nbd-conformance';
import { expect } from 'vitest';

/** Each rule in each mode that it is tried in, for a test of its own. */
export const trials = probes.flatMap(({ rule, title, modes }) =>
  (modes.length === 0 ? [undefined] : modes).map((mode) => ({
    rule,
    mode,
    /** `T4 past the end is EINVAL or ENOSPC (extended)` */
    name: `${rule} ${title}${mode === undefined ? '' : ` (${mode})`}`,
  })),
);
export type Trial = (typeof trials)[number];

/** Why a rule is not tried, where that is right. */
const untriable: Readonly<Record<string, RegExp>> = {
  N10: /a bound cannot be told/,
  T10: /cannot be arranged from outside/,
  T17: /cannot be arranged from outside/,
};

/** What a check of ours came to, held against what it must come to. */
export class Verdicts {
  readonly #verdicts: readonly Verdict[];

  private constructor(verdicts: readonly Verdict[]) {
    this.#verdicts = verdicts;
  }

  static async of(uri: string, options: CheckOptions = {}): Promise<Verdicts> {
    const { verdicts, notRestored } = await check(uri, { write: true, ...options });
    expect(notRestored).toBeUndefined();
    return new Verdicts(verdicts);
  }

  /** @param allowed why it may be not tried, for reasons of this test */
  expectKept({ rule, mode }: Trial, allowed: RegExp | undefined = untriable[rule]): void {
    const verdict = this.#verdicts.find((one) => one.rule === rule && one.mode === mode);
    if (allowed === undefined) expect(verdict).toMatchObject({ outcome: 'kept' });
    else
      expect(verdict).toMatchObject({
        outcome: 'not tried',
        reason: expect.stringMatching(allowed) as string,
      });
  }
}
