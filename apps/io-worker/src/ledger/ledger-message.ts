import { workerV1 } from '@holdfast/contracts';
import {
  outstandingBytesOf,
  outstandingOf,
  variantNames,
  violationKindNames,
  type OwnedPins,
  type OwnedViolation,
  type PinLedger,
  type VariantName,
  type ViolationKindName,
} from '@holdfast/pin-ledger';
import { bufferName, siteName } from '../pins/pin-sites.js';

const { PinVariant, ViolationKind } = workerV1;

const variants: Readonly<Record<VariantName, workerV1.PinVariant>> = {
  pinned: PinVariant.PIN_VARIANT_PINNED,
  referenced: PinVariant.PIN_VARIANT_REFERENCED,
  transferred: PinVariant.PIN_VARIANT_TRANSFERRED,
};

const kinds: Readonly<Record<ViolationKindName, workerV1.ViolationKind>> = {
  underflow: ViolationKind.VIOLATION_KIND_UNDERFLOW,
  'wrong-kind': ViolationKind.VIOLATION_KIND_WRONG_KIND,
  'wrong-layer': ViolationKind.VIOLATION_KIND_WRONG_LAYER,
  'mixed-request': ViolationKind.VIOLATION_KIND_MIXED_REQUEST,
  leak: ViolationKind.VIOLATION_KIND_LEAK,
};

/** Violations that one answer tells of; all are counted. */
const VIOLATIONS_TOLD = 256;

export function toLedgerMessage(ledger: PinLedger): workerV1.Ledger {
  const totals = ledger.totals();
  return {
    variants: variantNames.map((name) => {
      const { acquired, released, acquiredBytes, releasedBytes } = totals.variants[name];
      return {
        variant: variants[name],
        acquired: BigInt(acquired),
        released: BigInt(released),
        outstanding: BigInt(outstandingOf(totals.variants[name])),
        acquiredBytes: BigInt(acquiredBytes),
        releasedBytes: BigInt(releasedBytes),
        outstandingBytes: BigInt(outstandingBytesOf(totals.variants[name])),
      };
    }),
    violationCounts: violationKindNames
      .filter((name) => totals.violations[name] > 0)
      .map((name) => ({ kind: kinds[name], count: BigInt(totals.violations[name]) })),
    violations: ledger.violations().slice(-VIOLATIONS_TOLD).map(toViolationMessage),
    readTime: new Date(),
  };
}

export function pinName({ owner, request }: OwnedPins): string {
  return `${owner.session}/pins/${String(request)}`;
}

export function toPinMessage(pins: OwnedPins): workerV1.Pin {
  const { owner, variant, buffer, acquireSite, segments, bytes, sinceMs, isLeaked } = pins;
  return {
    name: pinName(pins),
    session: owner.session,
    attachment: owner.device,
    variant: variants[variant],
    buffer: bufferName(buffer),
    acquireSite: siteName(acquireSite),
    segments: BigInt(segments),
    bytes: BigInt(bytes),
    acquireTime: new Date(sinceMs),
    leaked: isLeaked,
  };
}

function toViolationMessage(violation: OwnedViolation): workerV1.Violation {
  const { owner, kind, variant, buffer, acquireSite, releaseSite, bytes, atMs } = violation;
  return {
    kind: kinds[kind],
    session: owner.session,
    attachment: owner.device,
    variant: variants[variant],
    buffer: bufferName(buffer),
    acquireSite: siteName(acquireSite),
    releaseSite: siteName(releaseSite),
    bytes: BigInt(bytes),
    time: new Date(atMs),
  };
}
