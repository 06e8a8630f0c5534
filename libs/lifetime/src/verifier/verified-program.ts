import type { Effects } from '../effects.js';
import type { Program } from '../program/program.js';
import type { LinkedInstruction } from './link.js';
import type { Location } from './location.js';
import type { Source } from './value.js';

declare const verified: unique symbol;

/** A `free`, and where what it frees may come from: it goes to the allocator of the class of that field. */
export interface FreeSite {
  /** In {@link VerifiedProgram.code}. */
  readonly linked: number;
  readonly location: Location;
  readonly sources: readonly Source[];
}

/** What only the verifier makes, and the interpreter runs. */
export interface VerifiedProgram {
  readonly [verified]: true;
  readonly program: Program;
  readonly effects: Effects;
  readonly freeSites: readonly FreeSite[];
  /** With a copy of each step for each call; the last instruction is the end. */
  readonly code: readonly LinkedInstruction[];
  /** Number of entries of each map that the program names. */
  readonly entries: ReadonlyMap<string, number>;
}
