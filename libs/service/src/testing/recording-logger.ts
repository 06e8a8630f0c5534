import { pino } from 'pino';
import type { Logger } from '../log.js';

/** What was logged: level and message. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
}

/** A real logger whose lines go into a list. */
export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const logger = pino(
    { level: 'trace' },
    {
      write: (line: string) => {
        lines.push(JSON.parse(line) as LogLine);
      },
    },
  );
  return { logger, lines };
}
