import type { Rule } from './rules.js';
import type { State } from './state.js';

/** What an error of the verifier is shown a path to: its words, and whether a state is one that it speaks of. */
export interface Witness {
  readonly says: string;
  readonly shows: (state: State) => boolean;
}

/** How the parts of the verifier tell each other that a rule is broken. It never leaves `verify`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly rule: Rule;
  /** Empty: any state in which the same instruction breaks the same rule. */
  readonly witnesses: readonly Witness[];

  constructor(rule: Rule, message: string, witnesses: readonly Witness[] = []) {
    super(message);
    this.rule = rule;
    this.witnesses = witnesses;
  }
}
