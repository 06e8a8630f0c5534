/** What a metadata context means, wherever its values come from (section "Metadata querying"). */
export interface ContextDefinition {
  /** `namespace:leaf-name` */
  readonly name: string;
  /** Bits of its flags: 64 needs extended headers (N11, B5). */
  readonly flagBits: 32 | 64;
  /** What a block has whose parts differ: told where extents are finer than the minimum block size. */
  readonly combine: (some: bigint, others: bigint) => bigint;
  /** Puts flags into words, as `nbdinfo --map` does: `hole,zero`. */
  readonly describe: (flags: bigint) => string;
}
