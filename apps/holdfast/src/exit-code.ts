/** What the command line ends with; scripts rely on it. */
export const ExitCode = {
  done: 0,
  failed: 1,
  /** A question was answered with no: not there, not running. */
  no: 2,
  /** EX_USAGE of sysexits.h. */
  usage: 64,
  /** Stopped by ^C or SIGTERM before it was done: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
