import { HoldfastError, messageOf, type ErrorCode } from '@holdfast/foundation';

/** What a failure of the database says of itself, whoever threw it: Prisma, its driver adapter, or the driver. */
interface Failure {
  /** Prisma's code (`P2002`), where Prisma threw it. */
  readonly prisma: string | undefined;
  /** The database's own code (`SQLITE_FULL`, `53100`), the system's (`ECONNREFUSED`), or the adapter's kind. */
  readonly code: string;
  readonly message: string;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function failureOf(error: unknown): Failure {
  const own = text(field(error, 'code'));
  const prisma = own !== undefined && /^P\d{4}$/.test(own) ? own : undefined;
  const adapterError = field(field(error, 'meta'), 'driverAdapterError') ?? error;
  const cause = field(adapterError, 'cause');
  const code = text(field(cause, 'originalCode')) ?? text(field(cause, 'kind')) ?? own ?? '';
  const message = text(field(cause, 'originalMessage')) ?? text(field(cause, 'message')) ?? lastLine(error);
  return { prisma, code, message };
}

/** Prisma's messages begin with an excerpt of the calling source; what happened is in the last line. */
function lastLine(error: unknown): string {
  return messageOf(error).trimEnd().split('\n').at(-1) ?? '';
}

/** A unique column would have held a value twice. The fields differ between the databases, so nobody asks for them. */
export function isUniqueViolation(error: unknown): boolean {
  return failureOf(error).prisma === 'P2002';
}

/** A row refers to one that is not there, or one that is still referred to would have gone. */
export function isReferenceViolation(error: unknown): boolean {
  return failureOf(error).prisma === 'P2003';
}

/** The database chose this transaction as the victim of a conflict; nothing of it happened. */
export function isConflict(error: unknown): boolean {
  return failureOf(error).prisma === 'P2034';
}

/** Another process is writing; nothing happened. SQLite only. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(failureOf(error).code);
}

/** The database does not answer now, and may later. */
const absent =
  /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections|E[A-Z]+|08...|57P0.|53300|SQLITE_BUSY.*)$/;
/** The setting names a database that will not have us. */
const refused =
  /^(AuthenticationFailed|DatabaseAccessDenied|DatabaseDoesNotExist|TlsConnectionError|28...|3D000|3F000)$/;
/** The machine under the database fails it: full disk, I/O error, damaged or write-protected file. */
const broken =
  /^(SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PROTOCOL).*|53100|53200|58...|XX00[12]|25006)$/;
/** node-postgres throws these without a code. */
const absentMessage = /^(timeout exceeded when trying to connect|Connection terminated)/;

function codeFor({ prisma, code, message }: Failure): ErrorCode | undefined {
  if (broken.test(code)) return 'DATABASE_FAILED';
  if (refused.test(code)) return 'INVALID_SETTING';
  // P2028: a transaction could not start or end in time. P2034: it lost to others, again and again.
  if (absent.test(code) || /^P20(28|34)$/.test(prisma ?? '') || absentMessage.test(message))
    return 'DATABASE_UNAVAILABLE';
  return undefined;
}

/**
 * What to throw for a failure that no repository has an answer to: a HoldfastError that says what the database said
 * (DATABASE_UNAVAILABLE, DATABASE_FAILED, INVALID_SETTING), or the failure itself when it is a bug of ours.
 */
export function asStoreError(error: unknown): unknown {
  if (error instanceof HoldfastError) return error;
  const failure = failureOf(error);
  const code = codeFor(failure);
  if (code === undefined) return error;
  const reason = failure.code === '' ? failure.message : `${failure.message} (${failure.code})`;
  return new HoldfastError(code, `The database failed: ${reason}`, { database_code: failure.code }, error);
}
