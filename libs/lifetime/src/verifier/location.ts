/** Where an instruction stands. */
export interface Location {
  /** The step that it is in; undefined in the program itself. */
  readonly step: string | undefined;
  /** From 0, within the program or the step; the number of instructions stands for the closing brace. */
  readonly instruction: number;
  /** In the source, from 1. */
  readonly line: number;
  /** The calls that lead into the step, the outermost first. */
  readonly calls: readonly {
    readonly step: string | undefined;
    readonly instruction: number;
    readonly line: number;
  }[];
}

/** `line 7`, or `line 7 in step take, called from line 3`. */
export function formatLocation({ line, step, calls }: Location): string {
  if (step === undefined) return `line ${line}`;
  const callers = calls.map((call) => `line ${call.line}`).reverse();
  return `line ${line} in step ${step}, called from ${callers.join(', from ')}`;
}
