import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type Logger } from 'pino';

export type { Logger } from 'pino';

/** JSON lines on standard error; standard output belongs to results. */
export function createLogger(service: string, level: string): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever read the log may be gone (EPIPE); a service that drains has better to do than to die of it.
  destination.on('error', () => undefined);
  return pino(
    { level, base: { service, pid: process.pid }, timestamp: stdTimeFunctions.isoTime },
    destination,
  );
}

/** Nest's own messages, one level quieter than ours: its module graph is of interest only when debugging. */
export function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown) =>
    message instanceof Error ? (message.stack ?? message.message) : String(message);
  return {
    log: (message: unknown) => {
      logger.debug(text(message));
    },
    verbose: (message: unknown) => {
      logger.trace(text(message));
    },
    debug: (message: unknown) => {
      logger.trace(text(message));
    },
    warn: (message: unknown) => {
      logger.warn(text(message));
    },
    error: (message: unknown) => {
      logger.error(text(message));
    },
    fatal: (message: unknown) => {
      logger.fatal(text(message));
    },
  };
}
