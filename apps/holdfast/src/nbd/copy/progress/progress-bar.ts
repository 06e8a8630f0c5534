import { formatSize } from '../../../output/size.js';
import type { Tally } from './tally.js';

/** Room for the numbers beside the bar. */
const NUMBERS_CHARACTERS = 56;

/** `[=====>    ]  52.3 %  1.1 GiB of 2 GiB  312.4 MiB/s`, no wider than the terminal. */
export function progressBar({ progress, data, zeroes }: Tally, elapsedMs: number, columns: number): string {
  const { copied, total } = progress;
  const share = total === 0n ? 1 : Number(copied) / Number(total);
  const perSecond = BigInt(Math.round((Number(data + zeroes) * 1000) / Math.max(elapsedMs, 1)));
  const numbers = `${(share * 100).toFixed(1).padStart(5)} %  ${formatSize(copied)} of ${formatSize(total)}  ${formatSize(perSecond)}/s`;
  const width = Math.min(columns - NUMBERS_CHARACTERS, 40);
  return width < 5 ? numbers.slice(0, columns) : `[${bar(share, width)}] ${numbers}`;
}

function bar(share: number, width: number): string {
  const full = Math.floor(share * width);
  return full === width ? '='.repeat(width) : `${'='.repeat(full)}>`.padEnd(width);
}
