import { AllocationState, baseAllocation, type ExtentList } from '@holdfast/nbd-protocol';

/** What a metadata context says of an entry that is null: `base:allocation` a hole, `qemu:allocation-depth` no layer. */
export function flagsOfNull(context: string): number {
  return context === baseAllocation.name ? AllocationState.HOLE | AllocationState.ZERO : 0;
}

/** Appends extents to a list, as one where neighbours say the same, though they are of different chunks. */
export class JoinedExtents {
  readonly #into: ExtentList;
  #length = 0;
  #flags = 0;

  constructor(into: ExtentList) {
    this.#into = into;
  }

  /** Whether nothing more can be added: the last place is for what is being joined. */
  get isFull(): boolean {
    return this.#into.isFull;
  }

  add(length: number, flags: number): void {
    if (this.#length > 0 && flags !== this.#flags) this.end();
    if (this.#into.isFull) return;
    this.#flags = flags;
    this.#length += length;
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#length > 0) this.#into.add(this.#length, this.#flags);
    this.#length = 0;
  }
}
