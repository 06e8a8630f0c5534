import type { Logger } from './log.js';

/**
 * Runs `stop` once, on SIGTERM, SIGINT, SIGHUP or, where supervised, on SIGTERM and when the supervisor's pipe closes,
 * and then exits: 0 when it finished, 1 when it failed. Longer than `deadlineMs`, and it ends by SIGKILL, because an
 * exit waits for threads that a stuck device may hold.
 */
export function stopOnRequest(
  logger: Logger,
  supervised: boolean,
  deadlineMs: number,
  stop: () => Promise<void>,
): void {
  let stopping = false;
  const begin = (reason: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason, deadlineMs }, 'stopping');
    setTimeout(() => {
      logger.fatal({ deadlineMs }, 'could not stop in time; killing this process');
      process.kill(process.pid, 'SIGKILL');
    }, deadlineMs).unref();
    stop().then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.fatal({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => {
    begin('SIGTERM');
  });
  for (const signal of ['SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // ^C and the end of a terminal reach its whole foreground group; the supervisor decides on the order of stopping.
      if (!supervised) begin(signal);
    });
  }
  if (supervised) {
    process.stdin.resume();
    process.stdin.once('end', () => {
      begin('the supervisor is gone');
    });
    process.stdin.once('error', () => {
      begin('the supervisor is gone');
    });
  }
}
