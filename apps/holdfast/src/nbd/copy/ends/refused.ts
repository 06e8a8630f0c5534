import { HoldfastError } from '@holdfast/foundation';

/** Source and destination do not go together; nothing was written. */
export function refused(sentence: string): HoldfastError {
  return new HoldfastError('COPY_REFUSED', sentence);
}
