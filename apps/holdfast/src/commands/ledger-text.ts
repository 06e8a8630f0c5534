import { workerV1 } from '@holdfast/contracts';
import { printTable } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import { formatAge } from './format-age.js';

const { PinVariant, ViolationKind } = workerV1;

export function showLedger(ledger: workerV1.Ledger, pins: readonly workerV1.Pin[], now: Date): void {
  printTable(
    ['VARIANT', 'ACQUIRED', 'RELEASED', 'OUTSTANDING', 'BYTES', 'BYTES OUTSTANDING'],
    ledger.variants.map((totals) => [
      variantText(totals.variant),
      totals.acquired.toString(),
      totals.released.toString(),
      totals.outstanding.toString(),
      formatSize(totals.acquiredBytes),
      formatSize(totals.outstandingBytes),
    ]),
  );
  process.stdout.write(`\nviolations: ${violationsText(ledger)}\n`);
  for (const violation of ledger.violations) process.stdout.write(`  ${violationLine(violation)}\n`);
  if (pins.length === 0) return;
  process.stdout.write('\n');
  printTable(
    ['SESSION', 'DEVICE', 'VARIANT', 'MEMORY', 'ACQUIRED BY', 'SEGMENTS', 'BYTES', 'AGE', 'STATE'],
    pins.map((pin) => [
      lastSegment(pin.session),
      deviceOf(pin.attachment),
      variantText(pin.variant),
      pin.buffer,
      pin.acquireSite,
      pin.segments.toString(),
      formatSize(pin.bytes),
      formatAge(pin.acquireTime, now),
      pin.leaked ? 'leaked' : 'in flight',
    ]),
  );
}

/** One line for each time that the ledger is read. */
export function ledgerLine(ledger: workerV1.Ledger): string {
  const variants = ledger.variants
    .map(
      ({ variant, outstanding, outstandingBytes }) =>
        `${variantText(variant)} ${outstanding.toString()} (${formatSize(outstandingBytes)})`,
    )
    .join('  ');
  return `${ledger.readTime?.toISOString() ?? ''}  ${variants}  violations: ${violationsText(ledger)}\n`;
}

function violationsText({ violationCounts }: workerV1.Ledger): string {
  if (violationCounts.length === 0) return 'none';
  return violationCounts.map(({ kind, count }) => `${count.toString()} ${kindText(kind)}`).join(', ');
}

function violationLine(violation: workerV1.Violation): string {
  const { kind, variant, buffer, session, acquireSite, releaseSite, bytes, time } = violation;
  const left = bytes === 0n ? '' : `, ${formatSize(bytes)} left`;
  const what = `${kindText(kind)} of ${variantText(variant)} ${buffer}${left}`;
  return `${time?.toISOString() ?? ''}  ${what}: session ${lastSegment(session)}, acquired by ${acquireSite}, released by ${releaseSite}`;
}

/** `pinned`, `referenced`, `transferred`. */
function variantText(variant: workerV1.PinVariant): string {
  return enumText(PinVariant, variant, 'PIN_VARIANT_');
}

/** `underflow`, `wrong-kind`, … */
function kindText(kind: workerV1.ViolationKind): string {
  return enumText(ViolationKind, kind, 'VIOLATION_KIND_');
}

function enumText(names: Readonly<Record<string, unknown>>, value: number, prefix: string): string {
  const name = Object.entries(names).find(([, other]) => other === value)?.[0] ?? 'UNKNOWN';
  return name.replace(prefix, '').toLowerCase().replaceAll('_', '-');
}

/** `disk` of `devices/disk/attachments/1`. */
function deviceOf(attachment: string): string {
  return attachment.split('/')[1] ?? '';
}
