import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type ErrorCode, isErrorCode } from '@holdfast/foundation';

/** The last words of a service: pino's level for a fatal message. */
const FATAL = 60;

/** Why a service ended, by its own account; without a code when it was a bug. */
export interface LastWords {
  readonly message: string;
  readonly code?: ErrorCode;
}

/** Copies a service's log to its file, and remembers the last fatal message for whoever has to explain its end. */
export class LogTail {
  #fatal: LastWords | undefined;

  constructor(output: Readable, file: Writable) {
    createInterface({ input: output }).on('line', (line) => {
      file.write(`${line}\n`);
      this.#fatal = lastWordsIn(line) ?? this.#fatal;
    });
  }

  get fatal(): LastWords | undefined {
    return this.#fatal;
  }
}

function lastWordsIn(line: string): LastWords | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { level, msg, code } = JSON.parse(line) as { level?: unknown; msg?: unknown; code?: unknown };
    if (level !== FATAL || typeof msg !== 'string') return undefined;
    return typeof code === 'string' && isErrorCode(code) ? { message: msg, code } : { message: msg };
  } catch {
    return undefined;
  }
}
