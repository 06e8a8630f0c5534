/** A field of the values of a map, as in `volume.chunk`. */
export interface Field {
  readonly map: string;
  readonly field: string;
}

/** What a program may do to the fields of maps, along any of its paths: what the verifier finds and the table is told. */
export interface Effects {
  /** S rows: the allocator whose allocations are stored into a field. */
  readonly stores: readonly { readonly allocator: string; readonly into: Field }[];
  /** E rows: values move from one field to the other, so their allocators are equal. */
  readonly moves: readonly { readonly from: Field; readonly to: Field }[];
  /** U rows: every field that is exchanged, so a value of it may be held in a register while the program runs. */
  readonly uses: readonly Field[];
}
