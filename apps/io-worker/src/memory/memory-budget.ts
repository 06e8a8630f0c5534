/**
 * Divides what sessions may have in memory among them. Each gets the least that it can live with; one that comes while there
 * are few may have more, as long as the least stays for all that may still come. If there is not even enough for as many, half of everything stays.
 */
export class MemoryBudget {
  readonly #totalBytes: number;
  readonly #sessionsMax: number;
  readonly #leastBytes: number;
  #freeBytes: number;
  #shares = 0;

  /**
   * @param totalBytes for all sessions together
   * @param leastBytes of each session
   */
  constructor(totalBytes: number, leastBytes: number, sessionsMax: number) {
    this.#totalBytes = totalBytes;
    this.#freeBytes = totalBytes;
    this.#leastBytes = leastBytes;
    this.#sessionsMax = sessionsMax;
  }

  /** What no session has, in bytes. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** The share of one more session; undefined when there is no room for it. */
  admit(): MemoryShare | undefined {
    if (this.#freeBytes < this.#leastBytes) return undefined;
    this.#shares++;
    this.#freeBytes -= this.#leastBytes;
    let heldBytes = this.#leastBytes;
    return {
      grow: (bytes) => {
        if (this.#freeBytes - bytes < this.#reservedBytes) return false;
        this.#freeBytes -= bytes;
        heldBytes += bytes;
        return true;
      },
      shrink: () => {
        this.#freeBytes += heldBytes - this.#leastBytes;
        heldBytes = this.#leastBytes;
      },
      release: () => {
        this.#shares--;
        this.#freeBytes += heldBytes;
        heldBytes = 0;
      },
    };
  }

  /** What is kept for sessions that may still come. */
  get #reservedBytes(): number {
    if (this.#sessionsMax * this.#leastBytes > this.#totalBytes) return this.#totalBytes / 2;
    return Math.max(0, this.#sessionsMax - this.#shares) * this.#leastBytes;
  }
}

/** What one session may have. */
export interface MemoryShare {
  /** Takes more, if there is. @returns whether there was */
  grow(bytes: number): boolean;
  /** Gives back what is more than the least. */
  shrink(): void;
  /** Gives all of it back, once. */
  release(): void;
}
