/** The one context that the specification defines (section "The `base:` metadata namespace"). */
export const BASE_ALLOCATION = 'base:allocation';

/** A metadata context that a client has selected (section "Metadata querying"). */
export interface MetaContext {
  /** Unsigned, 32 bits; names the context in transmission, and holds for one selection only. */
  readonly id: number;
  /** `namespace:leaf-name`, such as `base:allocation`. */
  readonly name: string;
}
