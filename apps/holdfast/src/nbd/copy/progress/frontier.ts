/** Keeps account of pieces that are planned in ascending order and finished in any order. */
export class Frontier {
  /** Offsets of pieces under way, in ascending order since they were planned so. */
  readonly #underWay = new Set<bigint>();
  #planned: bigint;

  /** @param from where the copy begins; all before it is there already */
  constructor(from: bigint) {
    this.#planned = from;
  }

  begin(offset: bigint, length: bigint): void {
    this.#underWay.add(offset);
    this.#planned = offset + length;
  }

  finish(offset: bigint): void {
    this.#underWay.delete(offset);
  }

  /** Everything before it has been copied. */
  get reached(): bigint {
    for (const first of this.#underWay) return first;
    return this.#planned;
  }
}
