import type { Progress } from './progress.js';

/** Answers one READ after the other. The way depends on how replies look, and is chosen once. */
export interface ReadAnswer {
  /** Begins to answer the request under way, which is valid. */
  begin(): Progress;
  /** The next step of the answer; asked again after every step. */
  advance(): Progress;
  /** Reports a read, or extents: 0, or the Linux errno. */
  completed(errno: number): Progress;
  /** Reports a transfer: bytes sent, and 0 if those were all, else the Linux errno. */
  transferred(count: number, errno: number): Progress;
  /** Something was trimmed or zeroed: what was data may be none any more. */
  forget(): void;
}
