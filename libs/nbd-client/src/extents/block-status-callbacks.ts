import type { Releasable } from '../ownership/owned.js';
import type { ExtentList } from './extent-list.js';

/** Takes what metadata contexts say: once for each context, before the completion. It may keep what it is given (A1). */
export interface ExtentCallback extends Releasable {
  readonly extents: (context: string, extents: ExtentList) => void;
}

/** As {@link ExtentCallback}, for the view of 32 bits: length and flags of one extent after the other (B3). */
export interface ExtentCallback32 extends Releasable {
  readonly extents: (context: string, offset: bigint, entries: Uint32Array) => void;
}

/** Told once how a request ended; undefined means well. */
export interface CompletionCallback extends Releasable {
  readonly completed: (error: Error | undefined) => void;
}
