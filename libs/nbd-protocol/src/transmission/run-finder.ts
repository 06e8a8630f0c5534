import { AllocationState } from '../constants/allocation-states.js';
import { BASE_ALLOCATION } from '../handshake/meta-context.js';
import type { StepOperands } from './step-operands.js';

/**
 * Finds out where a READ meets data and where holes. The run of data that was found last is remembered, so that a file
 * without holes is searched once and not at every READ. To take for data what has become a hole is harmless: it reads as
 * zeroes. To take for a hole what has become data is not, so holes are good for one READ only.
 */
export class RunFinder {
  /** What was found: where the run ends, and whether it is a hole. */
  runEnd = 0;
  isHole = false;
  readonly #operands: StepOperands;
  #hasSearched = false;
  #dataFrom = 0;
  #dataUntil = 0;
  /** The next extent of this READ: its index in the list, and where on the export it lies. */
  #index = 0;
  #extentFrom = 0;
  /** Up to here everything counts as data, for no search would tell. */
  #blindUntil = 0;

  constructor(operands: StepOperands) {
    this.#operands = operands;
  }

  /** Begins a READ. */
  begin(): void {
    this.#operands.extents.clear();
    this.#index = 0;
    this.#blindUntil = 0;
  }

  /** What was data may have become a hole. */
  forget(): void {
    this.#dataUntil = this.#dataFrom;
  }

  /**
   * Finds the run that begins or goes on at `cursor`, up to `end` at most.
   *
   * @returns false if the driver must be asked first: the operands of `Step.extents` are set
   */
  find(cursor: number, end: number): boolean {
    if (cursor < this.#blindUntil) return this.#found(end, false);
    if (this.#dataFrom <= cursor && cursor < this.#dataUntil) {
      return this.#found(Math.min(this.#dataUntil, end), false);
    }
    const { extents } = this.#operands;
    while (this.#index < extents.count) {
      const extentEnd = this.#extentFrom + extents.lengthAt(this.#index);
      if (cursor < extentEnd) {
        const isHole = (extents.flagsLowAt(this.#index) & AllocationState.ZERO) !== 0;
        if (!isHole) this.#remember(this.#extentFrom, extentEnd);
        return this.#found(Math.min(extentEnd, end), isHole);
      }
      this.#extentFrom = extentEnd;
      this.#index += 1;
    }
    this.#ask(cursor, end);
    return false;
  }

  /** Reports extents: 0, or the Linux errno. Where the driver cannot tell, `end` is the end of data. */
  completed(errno: number, end: number): void {
    if (errno !== 0 || this.#operands.extents.count === 0) {
      this.#operands.extents.clear();
      this.#blindUntil = end;
    }
  }

  #found(runEnd: number, isHole: boolean): true {
    this.runEnd = runEnd;
    this.isHole = isHole;
    return true;
  }

  #remember(from: number, until: number): void {
    this.#dataFrom = from;
    this.#dataUntil = until;
  }

  /** The first question is about the beginning of the export: data from there on, the usual case, serves all READs. */
  #ask(cursor: number, end: number): void {
    const from = this.#hasSearched ? cursor : 0;
    this.#operands.fileOffset = from;
    this.#operands.length = this.#hasSearched ? end - cursor : 1;
    this.#operands.context = BASE_ALLOCATION;
    this.#operands.extents.clear();
    this.#index = 0;
    this.#extentFrom = from;
    this.#hasSearched = true;
  }
}
