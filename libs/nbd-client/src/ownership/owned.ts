import { assert } from '@holdfast/foundation';

/** Something that must be released exactly once, by whoever owns it. */
export interface Releasable {
  readonly release: () => void;
}

/**
 * A place that owns a value until somebody takes it. A function that is given one says whether it takes the value: if it
 * does not, the place is untouched, and the value is still its owner's to release (B7).
 */
export class Owned<Value extends Releasable> {
  #value: Value | undefined;

  constructor(value: Value) {
    this.#value = value;
  }

  /** Whether the value is still here. */
  get isHeld(): boolean {
    return this.#value !== undefined;
  }

  /** Moves the value out: the taker releases it from now on. */
  take(): Value {
    const value = this.#value;
    assert(value !== undefined, 'a value is taken by one owner only');
    this.#value = undefined;
    return value;
  }

  /** Releases the value if it is still here, so that an owner can always do this at its end. */
  release(): void {
    const value = this.#value;
    this.#value = undefined;
    value?.release();
  }
}
