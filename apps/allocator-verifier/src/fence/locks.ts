/** Locks by number. Who wants several has them all at once, in the order of asking: nobody waits for each other. */
export class Locks {
  readonly #last = new Map<bigint, Promise<void>>();

  /** Runs alone, among those who name one of these numbers. */
  async exclusive<Result>(numbers: Iterable<bigint>, work: () => Promise<Result>): Promise<Result> {
    const wanted = new Set(numbers);
    const before = [...wanted].map((number) => this.#last.get(number) ?? Promise.resolve());
    const outcome = Promise.all(before).then(work);
    const end = outcome.then(
      () => undefined,
      () => undefined,
    );
    for (const number of wanted) this.#last.set(number, end);
    try {
      return await outcome;
    } finally {
      for (const number of wanted) if (this.#last.get(number) === end) this.#last.delete(number);
    }
  }
}
