import { HoldfastError, messageOf } from '@holdfast/foundation';
import { SystemCallError } from '@holdfast/linux';

/** Something that went wrong at one end of a copy. */
export class CopyFailure extends Error {
  constructor(
    /** The end, as the user named it. */
    readonly place: string,
    /** What went wrong there, with its own code. */
    readonly reason: HoldfastError,
  ) {
    super(`${place}: ${reason.message}`, { cause: reason });
  }

  /** Waits for work at one end. @throws CopyFailure that names it */
  static async of<T>({ name }: { readonly name: string }, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new CopyFailure(name, asHoldfastError(error));
    }
  }
}

/** Errors of node:fs carry call and errno, as ours do. */
function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number' && 'syscall' in error) {
    return new SystemCallError(String(error.syscall), -error.errno);
  }
  return new HoldfastError('INTERNAL', messageOf(error), {}, error);
}
