import { printJsonLine } from '../json-text.js';
import { formatSize } from '../../output/size.js';
import { parsePlace } from './ends/place.js';
import { openEnds, type EndsOptions } from './open-ends.js';
import { runCopy } from './run-copy.js';

export interface CopyOptions extends EndsOptions {
  /** Look for zeroes in data too. */
  readonly sparse: boolean;
}

/** `nbd copy`. */
export async function copy(from: string, to: string, options: CopyOptions): Promise<void> {
  const ends = await openEnds(parsePlace(from), parsePlace(to), options);
  using interruption = untilInterrupted();
  const startedMs = performance.now();
  const { progress, data, zeroes } = await runCopy(ends, { ...options, interrupt: interruption.signal });
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  if (options.json) {
    printJsonLine({ event: 'done', ...progress, data, zeroes, seconds });
  } else {
    process.stdout.write(
      `copied ${formatSize(progress.total)}: ${formatSize(data)} of data and ${formatSize(zeroes)} of zeroes, in ${String(seconds)} s\n`,
    );
  }
}

/** The first ^C or SIGTERM asks to stop in order; a second one ends the process at once. */
function untilInterrupted(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const stop = () => {
    release();
    controller.abort();
  };
  const release = () => {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return { signal: controller.signal, [Symbol.dispose]: release };
}
