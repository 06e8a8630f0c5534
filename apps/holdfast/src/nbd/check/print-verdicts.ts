import type { Evidence, Outcome, Verdict } from '@holdfast/nbd-conformance';
import { printTable } from '../../output/print.js';

const outcomes: readonly Outcome['outcome'][] = ['kept', 'broken', 'not offered', 'not tried'];

/** How many verdicts there are of each kind. */
export function countsOf(verdicts: readonly Verdict[]): Readonly<Record<Outcome['outcome'], number>> {
  const counts = { kept: 0, broken: 0, 'not offered': 0, 'not tried': 0 };
  for (const { outcome } of verdicts) counts[outcome] += 1;
  return counts;
}

/** A line for each verdict, then what is broken, in sentences, then the counts. */
export function printVerdicts(verdicts: readonly Verdict[]): void {
  printTable(
    ['RULE', 'MODE', 'VERDICT', 'WHAT'],
    verdicts.map((verdict) => [
      verdict.rule,
      verdict.mode ?? '-',
      verdict.outcome === 'broken' ? `broken (${verdict.strength})` : verdict.outcome,
      wordsOf(verdict),
    ]),
  );
  const lines = verdicts.flatMap((verdict) =>
    verdict.outcome === 'broken' ? verdict.evidence.map((one) => sentenceOf(verdict, one)) : [],
  );
  const counts = countsOf(verdicts);
  const summary = outcomes.map((outcome) => `${counts[outcome]} ${outcome}`).join(', ');
  process.stdout.write(['', ...lines, ...(lines.length > 0 ? [''] : []), summary, ''].join('\n'));
}

function wordsOf(verdict: Verdict): string {
  return verdict.outcome === 'not offered' || verdict.outcome === 'not tried'
    ? verdict.reason
    : verdict.title;
}

function sentenceOf({ rule, mode }: Verdict, { strength, sent, expected, got, section }: Evidence): string {
  const where = mode === undefined ? rule : `${rule} (${mode})`;
  return `${where} ${strength}: sent ${sent}; expected ${expected}; got ${got}. [${section}]`;
}
