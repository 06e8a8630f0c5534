/** What leases are valid at: this process, unless it took over from another. Then it is the other's, with its leases. */
export class WorkerInstance {
  #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get name(): string {
    return this.#name;
  }

  /** Everything that leases stand for has gone over to this process, and the other never serves again. */
  takeOver(name: string): void {
    this.#name = name;
  }
}
