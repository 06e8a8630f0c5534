import { assert } from '@holdfast/foundation';

/**
 * Memory that is lent for the time of one call. The accessors that hand it out are named `borrow…`, and throw after that
 * (A4); whoever wants to keep the bytes copies them.
 */
export class Loan {
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws AssertionFailure once the loan has ended */
  borrow(): Uint8Array {
    assert(this.#bytes !== undefined, 'lent bytes are used before the call returns that lent them');
    return this.#bytes;
  }

  end(): void {
    this.#bytes = undefined;
  }
}
