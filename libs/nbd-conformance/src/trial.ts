import { assert } from '@holdfast/foundation';
import type { ReplyMode } from '@holdfast/nbd-protocol';
import { EVIDENCE_MAX } from './limits.js';
import { PeerFault } from './peer-fault.js';
import type { Entry, Region, Server } from './server/server.js';
import type { ExportFacts } from './server/export-facts.js';
import type { Handshake } from './server/handshake.js';
import type { Session } from './server/session.js';
import type { Evidence, Outcome, Strength } from './verdict.js';

/** What a server is to do, and who says so. */
export interface Claim {
  readonly sent: string;
  readonly expected: string;
  readonly section: string;
  /** Default MUST. */
  readonly strength?: Strength;
}

/** Ends a trial without a word against the server. */
class Unjudged extends Error {
  constructor(
    readonly outcome: 'not offered' | 'not tried',
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** The trial of one rule in one mode: a probe puts its claims to the server, one after the other. */
export class Trial {
  readonly server: Server;
  readonly #mode: ReplyMode | undefined;
  readonly #evidence: Evidence[] = [];
  readonly #untried: string[] = [];
  #claims = 0;

  constructor(server: Server, mode: ReplyMode | undefined) {
    this.server = server;
    this.#mode = mode;
  }

  /** The mode of replies that the rule is tried in. */
  get mode(): ReplyMode {
    assert(this.#mode !== undefined, 'a probe without modes asks for none');
    return this.#mode;
  }

  /**
   * Holds the server to a claim.
   *
   * @param look does what the claim says was sent. @returns what came instead, undefined if the claim holds. That the
   *   server closes, is silent or sends what is no message is an answer too.
   * @returns whether it holds
   */
  async claim(claim: Claim, look: () => Promise<string | undefined>): Promise<boolean> {
    this.#claims += 1;
    const got = await look().catch((error: unknown) => {
      if (error instanceof PeerFault) return error.message;
      throw error;
    });
    if (got === undefined) return true;
    const { sent, expected, section, strength = 'MUST' } = claim;
    if (this.#evidence.length < EVIDENCE_MAX) this.#evidence.push({ strength, sent, expected, got, section });
    return false;
  }

  /** A claim that is tried on a connection of its own, on which options are haggled over. */
  claimInHandshake(
    claim: Claim,
    look: (handshake: Handshake) => Promise<string | undefined>,
  ): Promise<boolean> {
    return this.claim(claim, async () => {
      const handshake = await this.server.negotiate();
      try {
        return await look(handshake);
      } finally {
        handshake.close();
      }
    });
  }

  /**
   * A claim that is tried in transmission, in the mode of the trial. Behind it requests have to be understood as before:
   * the next claim may come over the same connection.
   */
  claimInSession(
    claim: Claim,
    look: (session: Session) => Promise<string | undefined>,
    entry: Entry = {},
  ): Promise<boolean> {
    return this.claim(claim, async () => {
      const session = await this.server.take(this.mode, entry);
      try {
        const got = await look(session);
        if (got === undefined) await session.expectInSync();
        // Nobody knows what a server that errs would take the next request for.
        if (got === undefined) this.server.giveBack(this.mode, entry, session);
        else session.close();
        return got;
      } catch (error) {
        session.close();
        throw error;
      }
    });
  }

  /** What the server tells of the export in the mode of the trial. */
  factsInMode(): ExportFacts {
    const facts = this.server.modes.get(this.mode);
    assert(facts !== undefined, 'a mode that is not offered is not tried');
    return facts;
  }

  /** Whether `base:allocation` can be selected in the mode of the trial. */
  hasContexts(): boolean {
    return this.server.modesWithContexts.has(this.mode);
  }

  /** Says that a part of the rule was left out. */
  leaves(part: string): void {
    this.#untried.push(part);
  }

  /** Whether the user allowed to write; says that `what` was left out, if not. */
  mayWrite(what: string): boolean {
    if (this.server.region !== undefined) return true;
    this.leaves(`${what}: would write`);
    return false;
  }

  /** What may be written to; without leave to write, the rule is not tried at all. */
  writable(): Region {
    return this.server.region ?? this.notTried('would write');
  }

  notOffered(reason: string): never {
    throw new Unjudged('not offered', reason);
  }

  notTried(reason: string): never {
    throw new Unjudged('not tried', reason);
  }

  /** Lets a probe work. @throws what is nobody's fault but ours, or the network's */
  async judge(run: (trial: Trial) => Promise<void> | void): Promise<Outcome> {
    try {
      await run(this);
    } catch (error) {
      if (error instanceof PeerFault) this.#evidence.push(unexpected(error));
      else if (!(error instanceof Unjudged)) {
        // A server that is gone in the midst of a trial is judged by what it did before.
        if (this.#evidence.length === 0) throw error;
      } else if (this.#evidence.length === 0) return { outcome: error.outcome, reason: error.reason };
    }
    const evidence = this.#evidence.toSorted((one, other) => one.strength.localeCompare(other.strength));
    const [worst] = evidence;
    if (worst !== undefined) return { outcome: 'broken', strength: worst.strength, evidence };
    if (this.#claims === 0) return { outcome: 'not tried', reason: this.#untried.join('; ') };
    return { outcome: 'kept', untried: this.#untried };
  }
}

/** What a server does on the way to a claim, and has done before, it has to do again. */
function unexpected({ message }: PeerFault): Evidence {
  return {
    strength: 'MUST',
    sent: 'what was granted on an earlier connection',
    expected: 'that it is granted again',
    got: message,
    section: 'Termination of the session during option haggling',
  };
}
