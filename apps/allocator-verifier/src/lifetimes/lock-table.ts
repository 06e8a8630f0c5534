import type { Lock } from '@holdfast/lifetime';

interface Waiting {
  readonly locks: ReadonlyMap<string, Lock['mode']>;
  readonly grant: () => void;
}

/**
 * Locks by name. All that an operation needs is taken at once, so nobody holds one while he waits for another, and no two
 * wait for each other. Who comes first is served first, as far as the two want the same.
 */
export class LockTable {
  /** How many share each; exclusive is -1. */
  readonly #held = new Map<string, number>();
  #waiting: Waiting[] = [];

  /** Answers when all of them are held, with the function that releases them. */
  async take(locks: Iterable<Lock>): Promise<() => void> {
    const wanted = strongestOf(locks);
    await new Promise<void>((grant) => {
      this.#waiting.push({ locks: wanted, grant });
      this.#grantNext();
    });
    return () => {
      for (const [name, mode] of wanted) this.#release(name, mode);
      this.#grantNext();
    };
  }

  #release(name: string, mode: Lock['mode']): void {
    const left = mode === 'exclusive' ? 0 : (this.#held.get(name) ?? 1) - 1;
    if (left === 0) this.#held.delete(name);
    else this.#held.set(name, left);
  }

  #grantNext(): void {
    const before = new Map<string, Lock['mode']>();
    this.#waiting = this.#waiting.filter(({ locks, grant }) => {
      const all = [...locks];
      if (all.every(([name, mode]) => this.#isFree(name, mode) && isCompatible(before.get(name), mode))) {
        for (const [name, mode] of all) {
          this.#held.set(name, mode === 'exclusive' ? -1 : (this.#held.get(name) ?? 0) + 1);
        }
        grant();
        return false;
      }
      for (const [name, mode] of all) if (before.get(name) !== 'exclusive') before.set(name, mode);
      return true;
    });
  }

  #isFree(name: string, mode: Lock['mode']): boolean {
    const held = this.#held.get(name) ?? 0;
    return held === 0 || (held > 0 && mode === 'shared');
  }
}

/** Whether whoever holds the first holds the second as well. */
export function covers(held: Iterable<Lock>, wanted: Iterable<Lock>): boolean {
  const modes = strongestOf(held);
  return Array.from(wanted).every(({ name, mode }) => {
    const has = modes.get(name);
    return has === 'exclusive' || has === mode;
  });
}

function isCompatible(one: Lock['mode'] | undefined, other: Lock['mode']): boolean {
  return one === undefined || (one === 'shared' && other === 'shared');
}

function strongestOf(locks: Iterable<Lock>): Map<string, Lock['mode']> {
  const strongest = new Map<string, Lock['mode']>();
  for (const { name, mode } of locks) if (strongest.get(name) !== 'exclusive') strongest.set(name, mode);
  return strongest;
}
