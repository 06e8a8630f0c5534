import {
  BLOCK_STATUS_FILTER_ID_BYTES,
  BLOCK_STATUS_FILTER_START_BYTES,
  parseBlockStatusFilter,
} from './messages/block-status-filter.js';
import { Refusal, type ReplyError } from './reply-error.js';
import type { TransmissionFacts } from './transmission-facts.js';

/** What a BLOCK_STATUS asks about. */
export interface StatusRequest {
  /** Bytes; exact up to 2^53−1, beyond only its being beyond is exact. */
  readonly length: number;
  readonly contextIds: readonly number[];
}

/** Longest payload that a BLOCK_STATUS may have, bytes: one that is longer cannot name distinct contexts. */
export function filterBytesMax({ metaContexts }: TransmissionFacts): number {
  return BLOCK_STATUS_FILTER_START_BYTES + BLOCK_STATUS_FILTER_ID_BYTES * metaContexts.length;
}

/** Reads the payload of a BLOCK_STATUS: "duplicate or unknown metacontext ids" are refused, and so are none (T12). */
export function readStatusFilter(
  payload: Uint8Array,
  { metaContexts }: TransmissionFacts,
): StatusRequest | ReplyError {
  const filter = parseBlockStatusFilter(payload);
  if (filter === 'malformed') return Refusal.filter;
  const { contextIds, effectLength } = filter;
  const isSelected = (contextId: number) => metaContexts.some(({ id }) => id === contextId);
  const areDistinct = new Set(contextIds).size === contextIds.length;
  if (contextIds.length === 0 || !areDistinct || !contextIds.every(isSelected)) return Refusal.filter;
  return { length: Number(effectLength), contextIds };
}
