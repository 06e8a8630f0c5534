import { Cmd, CmdFlag } from '../protocol/spec-numbers.js';
import type { Answer } from './answer.js';
import type { Question } from './question.js';

const PAGE_BYTES = 4096n;

/** The pages in which a WRITE_ZEROES with NO_HOLE has been: space that is taken, and has zeroes that were never written. */
export class Provisioned {
  readonly #pages = new Set<bigint>();

  /** Takes note of a request that was answered. */
  note({ type, flags, offset, length }: Question, answer: Answer): void {
    if (type !== Cmd.WRITE_ZEROES || (flags & CmdFlag.NO_HOLE) === 0) return;
    if (answer.kind === 'closed' || answer.error !== 0) return;
    for (let page = offset / PAGE_BYTES; page * PAGE_BYTES < offset + length; page += 1n)
      this.#pages.add(page);
  }

  /** Whether all of a range lies in such pages. */
  covers(from: bigint, to: bigint): boolean {
    for (let page = from / PAGE_BYTES; page * PAGE_BYTES < to; page += 1n) {
      if (!this.#pages.has(page)) return false;
    }
    return true;
  }
}
