import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** The last words of a service: pino's level for a fatal message. */
const FATAL = 60;

/** Copies a service's log to its file, and remembers the last fatal message for whoever has to explain its end. */
export class LogTail {
  #fatal: string | undefined;

  constructor(output: Readable, file: Writable) {
    createInterface({ input: output }).on('line', (line) => {
      file.write(`${line}\n`);
      this.#fatal = fatalMessage(line) ?? this.#fatal;
    });
  }

  get fatal(): string | undefined {
    return this.#fatal;
  }
}

function fatalMessage(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return entry.level === FATAL && typeof entry.msg === 'string' ? entry.msg : undefined;
  } catch {
    return undefined;
  }
}
