/** A broken promise of our own code: never the user's mistake, never caught and continued. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/** Throws {@link AssertionFailure} unless `condition` holds; `message` says which promise was broken. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Proves to the compiler that a union was handled exhaustively. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unhandled case: ${JSON.stringify(value, withBigints)}`);
}

/** An epoch or a lease number in the value would make JSON fail in place of the assertion. */
function withBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
