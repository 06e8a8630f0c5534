import { HoldfastError } from '@holdfast/foundation';

/** A field of a definition that cannot be used, and why; the two make a sentence. */
export function invalid(field: string, problem: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${field} ${problem}`, { field });
}
