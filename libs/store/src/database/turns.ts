/** Turns at something that only one may use at a time, given in the order in which they were asked for. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Answers when it is the caller's turn, with the function that ends it; ending it again does nothing. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let end!: () => void;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }

  /** Does `work` in a turn of its own. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const end = await this.take();
    try {
      return await work();
    } finally {
      end();
    }
  }
}
