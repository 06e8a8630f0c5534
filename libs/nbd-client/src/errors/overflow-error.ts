import { HoldfastError } from '@holdfast/foundation';

/** Flags of an extent do not fit the view of 32 bits (B3). */
export class NbdOverflowError extends HoldfastError {
  readonly errorName = 'EOVERFLOW';

  constructor(context: string) {
    super(
      'NBD_ANSWER_TOO_WIDE',
      `flags of "${context}" need more than 32 bits (EOVERFLOW): ask by the call for 64 bits`,
      { context },
    );
  }
}
