import type { ReplyMode } from '@holdfast/nbd-protocol';
import type { Trial } from './trial.js';

/** One rule, and how it is tried. */
export interface Probe {
  /** `N1` to `N12` of the handshake, `T1` to `T19` of transmission. */
  readonly rule: string;
  /** What the rule demands, in a few words. */
  readonly title: string;
  /** The modes that the rule is tried in, each for itself; empty where replies play no part. */
  readonly modes: readonly ReplyMode[];
  /** Why no check from outside can tell, where that is so; then it is not run. */
  readonly untriable?: string;
  readonly run: (trial: Trial) => Promise<void> | void;
}

export const allModes: readonly ReplyMode[] = ['simple', 'structured', 'extended'];
export const chunkedModes: readonly ReplyMode[] = ['structured', 'extended'];
