export { outstandingBytesOf, outstandingOf, type LedgerTotals, type VariantTotals } from './ledger-totals.js';
export {
  PinLedger,
  type Account,
  type OwnedPins,
  type OwnedViolation,
  type ShardOwner,
} from './pin-ledger.js';
export { PinShard, type PinRequest } from './pin-shard.js';
export { BUFFERS_MAX, REQUESTS_MAX, SHARD_BYTES, SITES_MAX, VIOLATIONS_KEPT } from './shard-layout.js';
export { ShardView, type BufferCounts, type OutstandingPins } from './shard-view.js';
export { Variant, variantNames, type VariantName } from './variant.js';
export { violationKindNames, type Violation, type ViolationKindName } from './violation.js';
