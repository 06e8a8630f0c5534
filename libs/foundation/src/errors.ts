import { errorCatalogue, type ErrorCode } from './error-catalogue.js';

/**
 * The base of every error a user may meet: a stable code from the catalogue, a sentence that says what to do, and
 * the facts of this case. Services send it as one `google.rpc.ErrorInfo`.
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly metadata: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, metadata: Record<string, string> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.metadata = metadata;
  }

  get status() {
    return errorCatalogue[this.code].status;
  }
}

/** What a thrown value says, in one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
