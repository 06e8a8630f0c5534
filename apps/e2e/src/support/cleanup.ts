/** What tests left running or lying about: undone in reverse order at the end of every test file. */
const pending = new Set<() => Promise<void> | void>();

/** Remembers `undo` until it was called; the returned function calls it at once. */
export function atEnd(undo: () => Promise<void> | void): () => Promise<void> {
  const once = async () => {
    if (pending.delete(once)) await undo();
  };
  pending.add(once);
  return once;
}

/** Called by the setup file after the last test of a file, whatever became of the tests. */
export async function cleanUp(): Promise<void> {
  for (const undo of [...pending].reverse()) await undo();
}
