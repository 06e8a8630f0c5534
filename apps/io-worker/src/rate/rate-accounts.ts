import type { RateLimit } from './rate-limit.js';
import { SharedLimit } from './shared-limit.js';

/** A limit that sessions share, and how new what is said of it is. */
export interface RateShare {
  /** Sessions of the same account share what they may take. */
  readonly account: string;
  /** Of two limits of one account the one of the higher revision holds. */
  readonly revision: bigint;
  readonly limit: RateLimit;
}

interface Account {
  readonly shared: SharedLimit;
  revision: bigint;
  sessions: number;
}

/** The rate limits of this worker. An account whose sessions have ended is kept for as long as it owes something. */
export class RateAccounts {
  readonly #accounts = new Map<string, Account>();
  readonly #now: () => bigint;

  /** @param now as for {@link SharedLimit} */
  constructor(now: () => bigint = process.hrtime.bigint.bind(process.hrtime)) {
    this.#now = now;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** A session joins its account. @returns ends its share */
  join(share: RateShare): () => void {
    this.#forgetIdle();
    let account = this.#accounts.get(share.account);
    if (account === undefined) {
      account = { shared: new SharedLimit(), revision: -1n, sessions: 0 };
      this.#accounts.set(share.account, account);
    }
    account.sessions++;
    this.set(share);
    return () => {
      account.sessions--;
    };
  }

  /** Sets the limit of an account, unless a later one is set. Where nobody is, nothing is done. */
  set({ account: name, revision, limit }: RateShare): void {
    const account = this.#accounts.get(name);
    if (account === undefined || revision <= account.revision) return;
    account.revision = revision;
    account.shared.set(limit);
  }

  /** What sessions of an account take from. */
  limitOf(account: string | undefined): SharedLimit | undefined {
    return account === undefined ? undefined : this.#accounts.get(account)?.shared;
  }

  /** As it is set now, with its revision. */
  shareOf(account: string): RateShare | undefined {
    const found = this.#accounts.get(account);
    return found && { account, revision: found.revision, limit: found.shared.value };
  }

  #forgetIdle(): void {
    const now = this.#now();
    for (const [name, { sessions, shared }] of this.#accounts) {
      if (sessions === 0 && shared.isFull(now)) this.#accounts.delete(name);
    }
  }
}
