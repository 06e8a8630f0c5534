import { assert } from '@holdfast/foundation';
import type { MetaContext } from './meta-context.js';
import type { ReplyMode } from './reply-mode.js';

/** A metadata context that an export has. */
export interface MetaContextOffer {
  /** `namespace:leaf-name`, such as `base:allocation`. */
  readonly name: string;
  /** Bits of its status: 64 are for clients with extended headers only (N11). */
  readonly flagBits: 32 | 64;
}

/** LIST_META_CONTEXT: those that a query names, in full or up to a colon; without queries all. */
export function listContexts(
  offers: readonly MetaContextOffer[],
  queries: readonly string[],
  replyMode: ReplyMode,
): MetaContext[] {
  const listed = available(offers, replyMode).filter(
    ({ name }) => queries.length === 0 || queries.some((query) => isNamed(name, query)),
  );
  // "The metadata context ID in these replies is reserved and SHOULD be set to zero".
  return listed.map(({ name }) => ({ id: 0, name }));
}

/**
 * SET_META_CONTEXT: those that a query names in full, each once whoever asks twice. What is not there is ignored, and
 * so is a wildcard.
 */
export function selectContexts(
  offers: readonly MetaContextOffer[],
  queries: readonly string[],
  replyMode: ReplyMode,
): MetaContext[] {
  const selected = available(offers, replyMode).filter(({ name }) => queries.includes(name));
  return selected.map(({ name }, index) => ({ id: index + 1, name }));
}

/** N11: of 64-bit contexts it says "the server MUST either omit that context from its successful reply, or …". */
function available(offers: readonly MetaContextOffer[], replyMode: ReplyMode): MetaContextOffer[] {
  assert(new Set(offers.map(({ name }) => name)).size === offers.length, 'an export has a context once');
  return offers.filter(({ flagBits }) => flagBits === 32 || replyMode === 'extended');
}

/** "The empty leaf-name makes sense as a wildcard"; qemu's documentation has it for `qemu:dirty-bitmap:` too. */
function isNamed(name: string, query: string): boolean {
  return name === query || (query.endsWith(':') && name.startsWith(query));
}
