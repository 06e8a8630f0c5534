/** What a metadata context means, wherever its values come from (section "Metadata querying"). */
export interface ContextDefinition {
  /** `namespace:leaf-name` */
  readonly name: string;
  /** Bits of its flags: 64 needs extended headers (N11, B5). */
  readonly flagBits: 32 | 64;
  /** Puts flags into words, as `nbdinfo --map` does: `hole,zero`. */
  readonly describe: (flags: bigint) => string;
}
