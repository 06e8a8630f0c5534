import { errorCatalogue, HoldfastError, messageOf, type ErrorCode } from '@holdfast/foundation';
import { CommanderError } from 'commander';
import { ExitCode } from '../exit-code.js';
import { jsonLine } from './print.js';

/** Tells on standard error why the command ends as it does, as text or as one JSON object. @returns its exit code */
export function reportError(error: unknown, json: boolean): ExitCode {
  if (error instanceof CommanderError) return reportUsage(error, json);
  const known = error instanceof HoldfastError ? error : new HoldfastError('INTERNAL', messageOf(error));
  if (json) process.stderr.write(errorLine(known));
  else process.stderr.write(`holdfast: ${known.message} (${known.code})\n${moreOf(error)}`);
  if (known.code === 'COPY_INTERRUPTED') return ExitCode.interrupted;
  return known.status === 'NOT_FOUND' ? ExitCode.no : ExitCode.failed;
}

/** Whether JSON was asked for: known even where the arguments cannot be understood. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** Help and version end with an "error" of exit code 0; the text of a real one is printed already, unless JSON is wanted. */
function reportUsage(error: CommanderError, json: boolean): ExitCode {
  if (error.exitCode === 0) return ExitCode.done;
  if (json) {
    const sentence = error.message.replace(/^error: /, '');
    process.stderr.write(errorLine(new HoldfastError('INVALID_ARGUMENT', sentence)));
  }
  return ExitCode.usage;
}

function errorLine({ code, status, message, metadata }: HoldfastError): string {
  const { recovery } = errorCatalogue[code];
  return jsonLine({ error: { code, status, message, recovery, metadata } });
}

/** Codes whose sentence tells what failed, and whose recovery tells where to look. */
const leadsFurther: ReadonlySet<ErrorCode> = new Set([
  'SERVICE_UNAVAILABLE',
  'NBD_SERVER_UNREACHABLE',
  'NBD_SERVER_TOO_OLD',
  'NBD_TLS_FAILED',
]);

/** What helps beyond the sentence: where to look when nothing answers, and where a bug is. */
function moreOf(error: unknown): string {
  if (!(error instanceof HoldfastError)) return `${error instanceof Error ? (error.stack ?? '') : ''}\n`;
  return leadsFurther.has(error.code) ? `${errorCatalogue[error.code].recovery}\n` : '';
}
