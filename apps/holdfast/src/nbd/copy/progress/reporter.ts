import { printJsonLine } from '../../json-text.js';
import { BAR_MS, REPORT_MS } from '../limits.js';
import { progressBar } from './progress-bar.js';
import type { Tally } from './tally.js';

/** Tells of a copy under way until it is stopped. */
export interface Reporter {
  readonly stop: () => void;
}

/** Tells a program by JSON lines, and a person by a bar on a terminal. */
export function reportProgress(tally: Tally, json: boolean): Reporter {
  if (json) return tellByLines(tally);
  return process.stderr.isTTY ? tellByBar(tally) : { stop: () => undefined };
}

function tellByLines(tally: Tally): Reporter {
  const timer = setInterval(() => {
    printJsonLine({ event: 'progress', ...tally.progress });
  }, REPORT_MS);
  return {
    stop: () => {
      clearInterval(timer);
    },
  };
}

function tellByBar(tally: Tally): Reporter {
  const { stderr } = process;
  const startedMs = performance.now();
  const draw = () => {
    stderr.write(`\r${progressBar(tally, performance.now() - startedMs, stderr.columns)}\x1B[K`);
  };
  draw();
  const timer = setInterval(draw, BAR_MS);
  return {
    stop: () => {
      clearInterval(timer);
      draw();
      stderr.write('\n');
    },
  };
}
