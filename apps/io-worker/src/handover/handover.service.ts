import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { sendHandoff } from '@holdfast/linux';
import { reached, type Logger } from '@holdfast/service';
import { toHoldingMessage } from '../holding/holding-message.js';
import type { HoldingService } from '../holding/holding.service.js';
import type { SessionService } from '../session/session.service.js';
import type { WorkerInstance } from '../worker/worker-instance.js';
import type { Gate } from './gate.js';
import { toHandedSession } from './handover-message.js';
import { GOODBYE_MS, REST_MS, SUCCESSOR_LEAVES_MS, TAKE_MS } from './limits.js';
import { requireHandable, unrest } from './unrest.js';

const TOKEN_BYTES = 16;
const POLL_MS = 5;

/** A descriptor to pass, and what goes with it. */
interface Passage {
  readonly token: Uint8Array;
  readonly fd: number;
  readonly payload: Uint8Array;
}

/** Who takes over, and hears of each item in turn. */
export interface Successor {
  readonly take: (item: workerV1.HandoverItem) => void;
  /** The handover was called off from this side. */
  readonly callOff: (reason: HoldfastError) => void;
}

type HandoverState =
  | { readonly kind: 'none' }
  /** Everything is being brought to rest. */
  | { readonly kind: 'resting'; readonly successor: Successor }
  /** The successor knows what there is, and takes it. */
  | {
      readonly kind: 'offered';
      readonly successor: Successor;
      readonly id: string;
      readonly passages: readonly Passage[];
      readonly timeout: NodeJS.Timeout;
    }
  /** This process stops: nothing is handed over any more. Nothing leads out of this. */
  | { readonly kind: 'stopping' }
  /** Another process is the worker. Nothing leads out of this. */
  | { readonly kind: 'committed' };

/**
 * The handover as the old worker sees it: all or nothing. Until the commit everything can be called off, and goes on here;
 * after it nothing is ever done here again.
 */
export class HandoverService {
  readonly #gate: Gate;
  readonly #sessions: SessionService;
  readonly #holdings: HoldingService;
  readonly #instance: WorkerInstance;
  readonly #successorHandoff: string;
  readonly #logger: Logger;
  readonly #end: () => void;
  #state: HandoverState = { kind: 'none' };

  /** @param end ends this process, whose descriptors the kernel closes */
  constructor(
    gate: Gate,
    sessions: SessionService,
    holdings: HoldingService,
    instance: WorkerInstance,
    successorHandoff: string,
    logger: Logger,
    end: () => void,
  ) {
    this.#gate = gate;
    this.#sessions = sessions;
    this.#holdings = holdings;
    this.#instance = instance;
    this.#successorHandoff = successorHandoff;
    this.#logger = logger;
    this.#end = end;
  }

  /** Begins; everything else goes by what the successor is told. */
  begin(successor: Successor): void {
    if (this.#state.kind !== 'none') {
      const why = this.#state.kind === 'stopping' ? 'the worker stops' : 'another upgrade is under way';
      successor.callOff(failure(why));
      return;
    }
    this.#state = { kind: 'resting', successor };
    this.#offer(successor).catch((error: unknown) => {
      this.#callOff(successor, error instanceof HoldfastError ? error : failure(String(error)));
    });
  }

  /** @throws HoldfastError UPGRADE_FAILED, HANDOFF_FAILED */
  async pass(id: string): Promise<void> {
    for (const { token, fd, payload } of this.#offered(id).passages) {
      await sendHandoff(this.#successorHandoff, token, payload, fd);
      // What follows might be of a session that goes on by now.
      this.#offered(id);
    }
    await reached('upgrade.passed');
  }

  /** Law 1: from here on the successor, and nobody else, uses what was handed over. @throws HoldfastError UPGRADE_FAILED */
  async commit(id: string): Promise<void> {
    clearTimeout(this.#offered(id).timeout);
    this.#state = { kind: 'committed' };
    this.#gate.shut();
    this.#logger.info('everything is handed over to another process');
    await reached('upgrade.committed');
  }

  /** The successor has ended its call, or died. */
  left(successor: Successor): void {
    if (this.#state.kind === 'committed') void this.#sayGoodbye();
    else if ('successor' in this.#state && this.#state.successor === successor) {
      this.#callOff(successor, failure('the new process is gone'));
    }
  }

  /** The worker is to stop: calls a handover off, or ends at once if it is over. */
  async stop(): Promise<void> {
    if (this.#state.kind !== 'committed') {
      if ('successor' in this.#state) {
        this.#callOff(this.#state.successor, failure('the worker was told to stop'));
      }
      this.#state = { kind: 'stopping' };
      return;
    }
    await delay(SUCCESSOR_LEAVES_MS);
    this.#end();
  }

  /** Whoever watches hears that this is the end, in order; when he looks again, the successor listens. */
  async #sayGoodbye(): Promise<void> {
    this.#sessions.endings.complete();
    await delay(GOODBYE_MS);
    this.#end();
  }

  async #offer(successor: Successor): Promise<void> {
    requireHandable(this.#sessions.list());
    const pauseTime = await this.#bringToRest(successor);
    await reached('upgrade.rested');
    if (!this.#isResting(successor)) return;
    // Once more: one may have been prepared while the gate closed.
    requireHandable(this.#sessions.list());
    const passages: Passage[] = [];
    const pass = (fd: number, payload = new Uint8Array()) => {
      const token = randomBytes(TOKEN_BYTES);
      passages.push({ token, fd, payload });
      return token;
    };
    const id = randomUUID();
    const timeout = setTimeout(() => {
      const seconds = String(TAKE_MS / 1000);
      this.#callOff(successor, failure(`the new process did not take over within ${seconds} s`));
    }, TAKE_MS);
    this.#state = { kind: 'offered', successor, id, passages, timeout };
    for (const held of this.#holdings.list()) {
      const holding = toHoldingMessage(held);
      const token = held.kind === 'descriptor' ? pass(held.fd.number) : Buffer.alloc(0);
      successor.take({ item: { $case: 'device', value: { holding, token } } });
    }
    for (const session of this.#sessions.list()) {
      const { state } = session;
      if (state.kind !== 'paused') throw failure(`${session.definition.name} does not rest`);
      const token = pass(state.socket.number, Buffer.from(state.undecoded));
      successor.take({
        item: { $case: 'session', value: toHandedSession(session, this.#sessions.rateOf(session), token) },
      });
    }
    const summary: workerV1.HandoverSummary = {
      handover: id,
      workerInstance: this.#instance.name,
      voidLeasesUpTo: this.#sessions.voidedUpTo,
      pid: process.pid,
      pauseTime,
    };
    successor.take({ item: { $case: 'summary', value: summary } });
  }

  /** @returns when the first session was paused @throws HoldfastError UPGRADE_FAILED with what does not come to rest */
  async #bringToRest(successor: Successor): Promise<Date> {
    const late = delay(REST_MS, 'late' as const, { ref: false });
    const must = async (rest: Promise<unknown>) => {
      if ((await Promise.race([rest, late])) === 'late') {
        throw failure(unrest(this.#gate.inside, this.#sessions.list()));
      }
      // Called off meanwhile: nothing more may be brought to rest, for nobody would wake it.
      if (!this.#isResting(successor)) throw failure('the handover was called off');
    };
    await must(this.#gate.close());
    // Their sockets are on the way to this process; until they are here, the others are served.
    await must(this.#untilNonePrepared(successor));
    const pauseTime = new Date();
    await must(this.#sessions.pauseAll());
    return pauseTime;
  }

  async #untilNonePrepared(successor: Successor): Promise<void> {
    const isPrepared = () => this.#sessions.list().some(({ state }) => state.kind === 'prepared');
    while (this.#isResting(successor) && isPrepared()) await delay(POLL_MS);
  }

  #isResting(successor: Successor): boolean {
    return this.#state.kind === 'resting' && this.#state.successor === successor;
  }

  #callOff(successor: Successor, reason: HoldfastError): void {
    if (!('successor' in this.#state) || this.#state.successor !== successor) return;
    if (this.#state.kind === 'offered') clearTimeout(this.#state.timeout);
    this.#state = { kind: 'none' };
    this.#sessions.resumeAll();
    this.#gate.open();
    this.#logger.warn({ reason: reason.message }, 'the handover to another process was called off');
    successor.callOff(reason);
  }

  #offered(id: string): HandoverState & { readonly kind: 'offered' } {
    if (this.#state.kind === 'offered' && this.#state.id === id) return this.#state;
    throw failure('the handover was called off');
  }
}

function failure(why: string): HoldfastError {
  return new HoldfastError(
    'UPGRADE_FAILED',
    `the worker was not upgraded, and everything goes on as before: ${why}`,
  );
}
