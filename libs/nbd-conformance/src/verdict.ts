import type { ReplyMode } from '@holdfast/nbd-protocol';

/** How strongly the specification asks for something (RFC 2119). */
export type Strength = 'MUST' | 'SHOULD';

/** One thing that a server did otherwise than the specification says. */
export interface Evidence {
  readonly strength: Strength;
  /** What the server was sent, in words. */
  readonly sent: string;
  /** What had to come. */
  readonly expected: string;
  /** What came instead. */
  readonly got: string;
  /** The section of `doc/proto.md` that says so; of its branch `extension-ext-header` where extended headers are meant. */
  readonly section: string;
}

export type Outcome =
  /** All that was tried is as it should be; `untried` says what was left out, and why. */
  | { readonly outcome: 'kept'; readonly untried: readonly string[] }
  /** The worst comes first. */
  | { readonly outcome: 'broken'; readonly strength: Strength; readonly evidence: readonly Evidence[] }
  /** The server lacks what the rule is about, as it may. */
  | { readonly outcome: 'not offered'; readonly reason: string }
  | { readonly outcome: 'not tried'; readonly reason: string };

/** What became of one rule, in one mode of replies. */
export type Verdict = Outcome & {
  /** `N1` to `N12` of the handshake, `T1` to `T19` of transmission. */
  readonly rule: string;
  readonly title: string;
  /** Undefined where replies play no part. */
  readonly mode: ReplyMode | undefined;
};
