/** The words of the fuzzer. The files are plain JavaScript; these types are what their comments refer to. */
import type { Random } from './random.js';

/** Something that takes any bytes, and the rules that hold whatever they are. */
export interface Target {
  readonly name: string;
  /** URLs of the modules whose blocks are counted in the report. Those of others guide the fuzzer too. */
  readonly underTest: RegExp;
  /** Bytes in front of every input that choose how the subject is set up; behind them is what comes from the peer. */
  readonly setupBytes: number;
  /** Longest input, bytes: long ones are slow, and rarely find what short ones do not. */
  readonly inputBytesMax: number;
  /** Inputs to begin with. */
  readonly seeds: () => Uint8Array[];
  /** A message that is right in most of its fields, for a peer that was set up so. */
  readonly message: (random: Random, setup: Uint8Array) => Uint8Array;
  /** Where messages begin in an input. */
  readonly boundaries: (input: Uint8Array) => number[];
  /** Throws if a rule is broken. */
  readonly run: (input: Uint8Array) => void;
}

/** An input that breaks a rule. */
export interface Finding {
  readonly rule: string;
  readonly input: Uint8Array;
  readonly error: unknown;
}

/** What a run came to. */
export interface Outcome {
  readonly target: string;
  readonly executions: number;
  readonly seconds: number;
  readonly blocksReached: number;
  readonly blocks: number;
  /** Inputs that each reached something that those before them did not. */
  readonly corpus: readonly Uint8Array[];
  readonly findings: readonly Finding[];
}
