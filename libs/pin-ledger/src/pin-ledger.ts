import { assert } from '@holdfast/foundation';
import { emptySums, totalsOf, type LedgerTotals } from './ledger-totals.js';
import { PinShard } from './pin-shard.js';
import { SHARD_BYTES } from './shard-layout.js';
import { ShardView, type OutstandingPins } from './shard-view.js';
import type { Violation } from './violation.js';

/** Whom a shard is for. */
export interface ShardOwner {
  /** Name of the session. */
  readonly session: string;
  /** Name of what its I/O goes to. */
  readonly device: string;
}

/** One session's account, from the side of whoever reads it. */
export interface Account {
  readonly owner: ShardOwner;
  /** For the one thread that writes it. */
  readonly memory: SharedArrayBuffer;
  readonly view: ShardView;
}

/** Pins in flight, and whose. */
export interface OwnedPins extends OutstandingPins {
  readonly owner: ShardOwner;
  /** The session is over: nobody will release them any more. */
  readonly isLeaked: boolean;
}

/** A violation, and whose. */
export interface OwnedViolation extends Violation {
  readonly owner: ShardOwner;
}

/** Violations of sessions that are over which are kept with their sites; the last of them. More are only counted. */
export const VIOLATIONS_REMEMBERED = 256;

/**
 * All accounts of a process: those that are open, and the sums of those that were closed. An account that was closed with
 * pins left is kept with them, for ever: what relies on them may not go.
 */
export class PinLedger {
  readonly #open = new Set<Account>();
  readonly #leaked = new Set<Account>();
  readonly #violations: OwnedViolation[] = [];
  /** Of the accounts that were closed and are not kept. */
  readonly #closed = emptySums();

  open(owner: ShardOwner): Account {
    const memory = new SharedArrayBuffer(SHARD_BYTES);
    const account = { owner, memory, view: new ShardView(memory) };
    this.#open.add(account);
    return account;
  }

  /**
   * Closes an account whose writer writes no more, and settles it: a writer that died could not.
   *
   * @param site where everything should have been released at the latest
   * @returns what was wrong with it: nothing, if it is balanced
   */
  close(account: Account, site: number): OwnedViolation[] {
    assert(this.#open.delete(account), 'an account is closed once');
    const { owner, view, memory } = account;
    const shard = new PinShard(memory);
    shard.settle(site);
    if (view.violationCount === 0 && !view.isBalanced) shard.reportImbalance(site);
    const violations = view.violations().map((violation) => ({ ...violation, owner }));
    if (view.outstandingSegments() > 0) this.#leaked.add(account);
    else view.addTo(this.#closed);
    this.#violations.push(...violations);
    this.#violations.splice(0, this.#violations.length - VIOLATIONS_REMEMBERED);
    return violations;
  }

  totals(): LedgerTotals {
    const sums = this.#closed.slice();
    for (const { view } of this.#accounts()) view.addTo(sums);
    return totalsOf(sums);
  }

  /** Pins in flight, of what is accepted. */
  outstanding(accepts: (owner: ShardOwner) => boolean = () => true): OwnedPins[] {
    return this.#accounts()
      .filter(({ owner }) => accepts(owner))
      .flatMap((account) => {
        const { owner, view } = account;
        const isLeaked = this.#leaked.has(account);
        return view.outstanding().map((pins) => ({ ...pins, owner, isLeaked }));
      });
  }

  /** How many segments of what is accepted are in flight. */
  outstandingSegments(accepts: (owner: ShardOwner) => boolean): number {
    return this.#accounts()
      .filter(({ owner }) => accepts(owner))
      .reduce((sum, { view }) => sum + view.outstandingSegments(), 0);
  }

  /** Those of the sessions that are open, after the last of those that are over. */
  violations(): OwnedViolation[] {
    const ofOpen = [...this.#open].flatMap(({ owner, view }) =>
      view.violations().map((violation) => ({ ...violation, owner })),
    );
    return [...this.#violations, ...ofOpen];
  }

  #accounts(): Account[] {
    return [...this.#leaked, ...this.#open];
  }
}
