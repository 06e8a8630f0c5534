import type { Verdict } from '@holdfast/nbd-conformance';
import { beforeEach, expect, test } from 'vitest';
import { capturePrinted, type Printed } from '../../testing/printed.js';
import { countsOf, printVerdicts } from './print-verdicts.js';

let printed: Printed;

beforeEach(() => {
  printed = capturePrinted();
});

const verdicts: readonly Verdict[] = [
  { rule: 'N1', title: 'an unknown option is skipped', mode: undefined, outcome: 'kept', untried: [] },
  { rule: 'N7', title: 'STARTTLS wipes', mode: undefined, outcome: 'not tried', reason: 'TLS is not used' },
  {
    rule: 'T4',
    title: 'past the end is EINVAL',
    mode: 'extended',
    outcome: 'broken',
    strength: 'SHOULD',
    evidence: [
      {
        strength: 'SHOULD',
        sent: 'a READ past the end',
        expected: 'NBD_EINVAL',
        got: 'NBD_EIO',
        section: 'Error values',
      },
    ],
  },
];

test('a line for each verdict, what is broken in a sentence with its section, and the counts', () => {
  printVerdicts(verdicts);
  expect(printed.stdout).toBe(
    [
      'RULE  MODE      VERDICT          WHAT',
      'N1    -         kept             an unknown option is skipped',
      'N7    -         not tried        TLS is not used',
      'T4    extended  broken (SHOULD)  past the end is EINVAL',
      '',
      'T4 (extended) SHOULD: sent a READ past the end; expected NBD_EINVAL; got NBD_EIO. [Error values]',
      '',
      '1 kept, 1 broken, 0 not offered, 1 not tried',
      '',
    ].join('\n'),
  );
});

test('what is nowhere counts 0', () => {
  expect(countsOf(verdicts)).toEqual({ kept: 1, broken: 1, 'not offered': 0, 'not tried': 1 });
});
