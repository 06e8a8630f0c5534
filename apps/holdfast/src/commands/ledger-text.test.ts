import { workerV1 } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { capturePrinted } from '../testing/printed.js';
import { ledgerLine, showLedger } from './ledger-text.js';

const { PinVariant, ViolationKind } = workerV1;

const ledger = workerV1.Ledger.fromPartial({
  variants: [
    {
      variant: PinVariant.PIN_VARIANT_PINNED,
      acquired: 12n,
      released: 10n,
      outstanding: 2n,
      acquiredBytes: 8192n,
      outstandingBytes: 4096n,
    },
  ],
  readTime: new Date(0),
});

test('a ledger at rest is told with its sums', () => {
  const printed = capturePrinted();
  showLedger(ledger, [], new Date(0));
  expect(printed.stdout).toBe(
    [
      'VARIANT  ACQUIRED  RELEASED  OUTSTANDING  BYTES  BYTES OUTSTANDING',
      'pinned   12        10        2            8 KiB  4 KiB',
      '',
      'violations: none',
      '',
    ].join('\n'),
  );
});

test('E9 violations are told with both sites, and pins with their age', () => {
  const printed = capturePrinted();
  const violated = {
    ...ledger,
    violationCounts: [{ kind: ViolationKind.VIOLATION_KIND_WRONG_KIND, count: 3n }],
    violations: [
      workerV1.Violation.fromPartial({
        kind: ViolationKind.VIOLATION_KIND_LEAK,
        session: 'sessions/abc',
        variant: PinVariant.PIN_VARIANT_PINNED,
        buffer: 'output',
        acquireSite: 'thread.read',
        releaseSite: 'session.end',
        bytes: 512n,
        time: new Date(0),
      }),
    ],
  };
  const pin = workerV1.Pin.fromPartial({
    session: 'sessions/abc',
    attachment: 'devices/disk/attachments/7',
    variant: PinVariant.PIN_VARIANT_REFERENCED,
    buffer: 'page-cache',
    acquireSite: 'thread.transfer',
    segments: 1n,
    bytes: 65_536n,
    acquireTime: new Date(0),
  });
  showLedger(violated, [pin], new Date(3000));
  expect(printed.stdout).toContain('violations: 3 wrong-kind\n');
  expect(printed.stdout).toContain(
    '1970-01-01T00:00:00.000Z  leak of pinned output, 512 B left: session abc, acquired by thread.read, released by session.end\n',
  );
  expect(printed.stdout).toMatch(
    /abc +disk +referenced +page-cache +thread\.transfer +1 +64 KiB +3 s +in flight\n$/,
  );
});

test('a line of a watch says what is in flight', () => {
  expect(ledgerLine(ledger)).toBe('1970-01-01T00:00:00.000Z  pinned 2 (4 KiB)  violations: none\n');
});
