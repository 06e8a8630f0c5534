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
  #foundFrom = 0;
  #hasSearched = false;
  #dataFrom = 0;
  #dataUntil = 0;
  /** The next extent of this READ that no run was made of: its index in the list, and where on the export it lies. */
  #index = 0;
  #runFrom = 0;
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
    this.runEnd = 0;
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
    if (this.#foundFrom <= cursor && cursor < this.runEnd) return true;
    if (cursor < this.#blindUntil) return this.#found(cursor, end, false);
    if (this.#dataFrom <= cursor && cursor < this.#dataUntil) {
      return this.#found(cursor, Math.min(this.#dataUntil, end), false);
    }
    const { extents } = this.#operands;
    while (this.#index < extents.count) {
      const from = this.#runFrom;
      const isHole = this.#isHoleAt(this.#index);
      while (this.#index < extents.count && this.#isHoleAt(this.#index) === isHole) {
        this.#runFrom += extents.lengthAt(this.#index);
        this.#index += 1;
      }
      if (cursor < this.#runFrom) {
        if (!isHole) this.#remember(from, this.#runFrom);
        return this.#found(cursor, Math.min(this.#runFrom, end), isHole);
      }
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

  #isHoleAt(index: number): boolean {
    return (this.#operands.extents.flagsLowAt(index) & AllocationState.ZERO) !== 0;
  }

  #found(from: number, runEnd: number, isHole: boolean): true {
    this.#foundFrom = from;
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
    this.#runFrom = from;
    this.#hasSearched = true;
  }
}
