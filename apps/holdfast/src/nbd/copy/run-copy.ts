import { HoldfastError } from '@holdfast/foundation';
import { checkpoint, checkpointRegularly, pause } from './checkpoint.js';
import { CopyFailure } from './copy-failure.js';
import { CHECKPOINT_MS, SETTLE_MS } from './limits.js';
import type { Ends } from './open-ends.js';
import { roundDown } from './plan.js';
import { Frontier } from './progress/frontier.js';
import { reportProgress } from './progress/reporter.js';
import { Tally } from './progress/tally.js';
import { startTransfer } from './transfer.js';

export interface RunOptions {
  /** Requests in flight on each connection. */
  readonly requests: number;
  /** Bytes. */
  readonly resumeFrom: bigint;
  /** Look for zeroes in data too. */
  readonly sparse: boolean;
  readonly json: boolean;
  /** Aborted when the user wants the copy to stop. */
  readonly interrupt: AbortSignal;
}

/**
 * Copies, and returns once everything is on stable storage.
 *
 * @throws HoldfastError with the code of what failed, or COPY_INTERRUPTED, that says where to go on
 */
export async function runCopy(ends: Ends, options: RunOptions): Promise<Tally> {
  const { source, destination, grid } = ends;
  const from = roundDown(options.resumeFrom, BigInt(grid.grain));
  const tally = new Tally(from, source.sizeBytes);
  const report = reportProgress(tally, options.json);
  try {
    await moveAll(ends, options, tally);
  } catch (error) {
    source.abandon();
    destination.abandon();
    throw sayingWhereToGoOn(error, tally);
  } finally {
    report.stop();
  }
  await Promise.all([source.close(), destination.close()]);
  return tally;
}

async function moveAll(
  { source, destination, grid }: Ends,
  { requests, sparse, interrupt }: RunOptions,
  tally: Tally,
): Promise<void> {
  const { from } = tally;
  const frontier = new Frontier(from);
  const stop = new AbortController();
  const flush = () => checkpoint(destination, frontier, tally);
  const transfer = startTransfer({
    ...{ source, destination, grid, from, frontier, tally },
    parallel: requests * Math.max(source.connections, destination.connections),
    findZeroes: sparse,
    stop: stop.signal,
  });
  const flushing = checkpointRegularly(CHECKPOINT_MS, stop.signal, flush);
  try {
    const first = await Promise.race([transfer.done, flushing, whenAborted(interrupt)]);
    if (first === 'interrupted') throw new HoldfastError('COPY_INTERRUPTED', 'the copy was interrupted');
    stop.abort();
    await flushing;
    await flush();
  } catch (error) {
    stop.abort();
    // What was under way may still come to an end, and counts then; but nobody waits for ever for what hangs.
    await within(SETTLE_MS, transfer.settled);
    await within(SETTLE_MS, flushing.then(flush));
    throw error;
  }
}

function sayingWhereToGoOn(error: unknown, { progress }: Tally): unknown {
  const reason = error instanceof CopyFailure ? error.reason : error;
  if (!(reason instanceof HoldfastError) || !(error instanceof Error)) return error;
  const { resumeFrom, total } = progress;
  const advice =
    resumeFrom === 0n
      ? 'nothing of it is safe yet, so begin again'
      : `the first ${resumeFrom} of ${total} bytes are safe at the destination: go on by --resume-from ${resumeFrom}`;
  const metadata = { ...reason.metadata, resumeFrom: String(resumeFrom) };
  return new HoldfastError(reason.code, `${error.message}; ${advice}`, metadata, error);
}

function whenAborted(signal: AbortSignal): Promise<'interrupted'> {
  return new Promise((resolve) => {
    const tell = () => {
      resolve('interrupted');
    };
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
}

/** Waits for work whose failure does not matter any more, for a limited time. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const end = () => {
    over.abort();
  };
  work.then(end, end);
  await pause(ms, over.signal);
}
