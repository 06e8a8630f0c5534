import { setTimeout as delay } from 'node:timers/promises';
import { assert, counted, HoldfastError, messageOf } from '@holdfast/foundation';
import { hasHungUp, shutdownSocket, ShutdownHow, type OwnedFd } from '@holdfast/linux';
import type { PinLedger } from '@holdfast/pin-ledger';
import { reached, type Arrival, type HandoffInbox, type Logger } from '@holdfast/service';
import { Subject } from 'rxjs';
import type { ChunkView } from '../chunks/chunk-device.js';
import { ChunkTables } from '../chunks/chunk-tables.js';
import type { Engine, ServeOutcome } from '../engine/engine.js';
import type { Engines } from '../engine/engines.js';
import type { EventedDevice } from '../engine/evented-device.js';
import type { HoldingService } from '../holding/holding.service.js';
import { settleSession } from '../pins/settle-session.js';
import { furnish, type SessionMemory } from '../memory/session-memory.js';
import type { MemoryShare } from '../memory/memory-budget.js';
import { RateAccounts, type RateShare } from '../rate/rate-accounts.js';
import { logClosed, logOpened } from './session-log.js';
import { Session, type SessionDefinition, type SessionEnd } from './session.js';
import type { SessionRest } from './session-rest.js';

/** A gateway that was answered passes the socket at once; one that died never will. */
const SOCKET_WAIT_MS = 10_000;

/** How long the requests of a client that hung up may finish by themselves before they are fenced. */
const HUNG_UP_GRACE_MS = 1_000;

/** While stopping, clients get this long to be told ESHUTDOWN before their sockets are shut for reading. */
const STOP_GRACE_MS = 200;

/** The sessions of this worker: prepared by the gateway, begun by the arrival of their socket, ended by the client. */
export class SessionService {
  readonly endings = new Subject<{ session: Session; reason: SessionEnd }>();
  /** Resolves once descriptors can arrive: gRPC answers before. */
  readonly opened: Promise<void>;
  /** What sessions may take together. */
  readonly rates = new RateAccounts();
  /** Which chunks sessions may reach. */
  readonly chunks = new ChunkTables();
  readonly #resolveOpened: () => void;
  readonly #inbox: HandoffInbox;
  readonly #holdings: HoldingService;
  readonly #engines: Engines;
  readonly #ledger: PinLedger;
  readonly #sessionsMax: number;
  readonly #memory: SessionMemory;
  readonly #logger: Logger;
  readonly #sessions = new Map<string, Session>();
  /** Sessions whose sockets had not come yet when a later session of the same device was prepared. */
  readonly #overtaken = new WeakSet<Session>();
  #voidUpTo = 0n;
  #stopping = false;

  constructor(
    inbox: HandoffInbox,
    holdings: HoldingService,
    engines: Engines,
    ledger: PinLedger,
    sessionsMax: number,
    memory: SessionMemory,
    logger: Logger,
  ) {
    this.#inbox = inbox;
    this.#holdings = holdings;
    this.#engines = engines;
    this.#ledger = ledger;
    this.#sessionsMax = sessionsMax;
    this.#memory = memory;
    this.#logger = logger;
    let resolveOpened: () => void = () => undefined;
    this.opened = new Promise((resolve) => {
      resolveOpened = resolve;
    });
    this.#resolveOpened = resolveOpened;
  }

  /** The handoff socket listens: whoever watches is greeted, and may hand over devices and sockets. */
  open(): void {
    this.#resolveOpened();
  }

  list(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Leases numbered up to this that no session uses are refused from now on; the number never sinks (law 4). */
  voidLeasesUpTo(number: bigint): void {
    if (number > this.#voidUpTo) this.#voidUpTo = number;
  }

  get voidedUpTo(): bigint {
    return this.#voidUpTo;
  }

  /** What its account may take now. */
  rateOf({ definition: { rate } }: Session): RateShare | undefined {
    return rate && this.rates.shareOf(rate.account);
  }

  /** Memory of a session that is to come from another process. @throws HoldfastError LIMIT_REACHED */
  reserveMemory(): MemoryShare {
    return this.#memory.admit();
  }

  /**
   * Makes a place for a session whose socket will come under `token`.
   *
   * @throws HoldfastError LEASE_REFUSED, LIMIT_REACHED, SHUTTING_DOWN; as RemoteDevice.connect where that is the device
   */
  async prepare(definition: SessionDefinition, token: Uint8Array): Promise<Session> {
    this.#admit(definition);
    const session = this.#enter(definition, token);
    // Entered first, so that its lease counts as live while this waits.
    await this.#endHungUp(session);
    await this.#connect(session);
    if (session.state.kind !== 'prepared') {
      throw new HoldfastError('LEASE_REFUSED', `${definition.name} was abandoned while it was prepared`, {
        lease: String(definition.lease),
      });
    }
    this.#inbox.expect(token, (arrival) => {
      void this.#serve(session, arrival);
    });
    return session;
  }

  /** Ends a session whose socket has not come; one that is served goes on. */
  abandon(name: string): void {
    const session = this.#sessions.get(name);
    if (session?.state.kind !== 'prepared') return;
    this.#inbox.forget(session.state.token);
    session.end('abandoned');
  }

  /** T16: new requests of a session get ESHUTDOWN, work under way finishes. Who carries its bytes ends it. */
  requestStop(name: string): void {
    this.#sessions.get(name)?.control.requestStop();
  }

  /** Ends one session, whatever its client does; over when nothing of it can touch the device any more. */
  async end(name: string, graceMs: number): Promise<void> {
    this.abandon(name);
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    session.control.requestStop();
    this.#shutSocket(session, ShutdownHow.READ);
    const finished = await Promise.race([session.ended.then(() => true), delay(graceMs, false)]);
    if (finished) return;
    session.fence();
    this.#shutSocket(session, ShutdownHow.BOTH);
    await session.ended;
  }

  /** Has every session that is served stop between two requests, its socket untouched. Resolves when all have. */
  async pauseAll(): Promise<void> {
    await Promise.all(this.list().map((session) => session.rest()));
  }

  /** Sessions that were paused, or were to be, go on. */
  resumeAll(): void {
    for (const session of this.list()) {
      session.control.cancelPause();
      this.#resume(session);
    }
  }

  /** Enters a session that rests in another process, which will not touch it again: it goes on by {@link resumeAll}. */
  adopt(definition: SessionDefinition, rest: SessionRest, memory: MemoryShare): Session {
    const { socket, undecoded, stopping, assumesPayloads, counters } = rest;
    const session = new Session(definition, memory, { kind: 'paused', socket, undecoded });
    session.control.restore(counters);
    session.control.assumesPayloads = assumesPayloads;
    session.control.refuses = stopping;
    if (stopping) session.control.requestStop();
    this.#track(session);
    return session;
  }

  /** T16: work under way finishes, new requests get ESHUTDOWN, then the sockets are shut. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const session of this.list()) {
      if (session.state.kind === 'prepared') this.abandon(session.definition.name);
      else session.control.requestStop();
    }
    if (this.#sessions.size > 0) await Promise.race([this.#allEnded(), delay(STOP_GRACE_MS)]);
    this.#shutSockets(ShutdownHow.READ);
    const drained = await Promise.race([this.#allEnded().then(() => true), delay(drainMs, false)]);
    if (!drained) {
      this.#logger.warn({ sessions: this.#sessions.size }, 'requests did not finish in time; fencing them');
      for (const session of this.list()) session.fence();
      this.#shutSockets(ShutdownHow.BOTH);
      await this.#allEnded();
    }
    this.endings.complete();
  }

  #admit(definition: SessionDefinition): void {
    const { holding, lease } = definition;
    if (this.#stopping) throw new HoldfastError('SHUTTING_DOWN', 'the worker is stopping');
    if (lease <= this.#voidUpTo) {
      throw new HoldfastError('LEASE_REFUSED', `lease ${String(lease)} was voided`, { lease: String(lease) });
    }
    if (this.#holdings.find(holding.attachment) !== holding) {
      throw new HoldfastError('LEASE_REFUSED', `${holding.attachment} is no longer held`, {
        attachment: holding.attachment,
      });
    }
    if (this.#sessions.has(definition.name)) {
      throw new HoldfastError('LEASE_REFUSED', `${definition.name} exists already`, {
        session: definition.name,
      });
    }
    if (this.#sessions.size >= this.#sessionsMax) {
      throw new HoldfastError(
        'LIMIT_REACHED',
        `the worker has ${counted(this.#sessionsMax, 'session')} already (HOLDFAST_WORKER_SESSIONS_MAX)`,
        {
          setting: 'HOLDFAST_WORKER_SESSIONS_MAX',
        },
      );
    }
  }

  #enter(definition: SessionDefinition, token: Uint8Array): Session {
    const shared = definition.chunks && this.chunks.join(definition.chunks);
    const memory = this.#admitMemory(shared?.leave);
    const expiry = setTimeout(() => {
      this.#logger.warn({ session: definition.name }, 'the socket of a prepared session did not come');
      this.abandon(definition.name);
    }, SOCKET_WAIT_MS);
    const session = new Session(definition, memory, { kind: 'prepared', token, expiry });
    if (shared !== undefined) {
      session.useChunks(shared.table);
      void session.ended.then(shared.leave);
    }
    this.#track(session);
    return session;
  }

  /** @param onRefusal what is undone when there is none @throws HoldfastError LIMIT_REACHED */
  #admitMemory(onRefusal: () => void = () => undefined): MemoryShare {
    try {
      return this.#memory.admit();
    } catch (error) {
      onRefusal();
      throw error;
    }
  }

  /** From now on it counts, and its device is lent to it, until it ends. */
  #track(session: Session): void {
    const { holding, name, rate } = session.definition;
    const endLoan = this.#holdings.borrow(holding);
    const endShare = rate && this.rates.join(rate);
    this.#sessions.set(name, session);
    void session.ended.then((reason) => {
      endLoan();
      session.memory.release();
      endShare?.();
      this.#sessions.delete(name);
      this.endings.next({ session, reason });
    });
  }

  /** A session of another server's export has a connection of its own there, before its client is told to begin. */
  async #connect(session: Session): Promise<void> {
    const { holding, name } = session.definition;
    if (holding.kind !== 'remote') return;
    try {
      const logger = this.#logger.child({ session: name });
      const remote = await holding.remote.open(session.ending, logger);
      if (session.state.kind !== 'prepared') {
        remote.link.cut();
        return;
      }
      session.useRemote(remote);
      void remote.link.changed.then(() => {
        this.#shutSocket(session, ShutdownHow.BOTH);
      });
    } catch (error) {
      if (session.state.kind === 'prepared') session.end('abandoned');
      throw error;
    }
  }

  async #serve(session: Session, { fd: socket, payload }: Arrival): Promise<void> {
    const isNew = session.state.kind === 'prepared';
    const engine = this.#engines.choose(
      session.definition.holding.kind === 'remote' || session.chunks !== undefined,
    );
    // From the choice to the engine's begin nothing is awaited: of those that come at once each gets a place.
    session.begin(engine.name, socket);
    if (isNew) logOpened(this.#logger, session);
    const outcome = await this.#runEngine(session, engine, { fd: socket, payload });
    if (outcome === 'paused') {
      session.pause();
      // Called off before the engine had told that it stopped.
      if (!session.control.pausing) this.#resume(session);
      return;
    }
    await reached('release.over');
    const reason = session.remote?.link.hasChanged === true ? 'device-changed' : outcome;
    hangUp(socket);
    logClosed(this.#logger, session, reason);
    session.end(reason);
  }

  /** Never throws: what fails inside ends the session with `internal-error`. */
  async #runEngine(
    session: Session,
    engine: Engine,
    { fd: socket, payload }: Arrival,
  ): Promise<ServeOutcome> {
    const { holding, facts, name, rate } = session.definition;
    const account = this.#ledger.open({ session: name, device: holding.attachment });
    let outcome: ServeOutcome = 'internal-error';
    try {
      const buffers = furnish(session.memory, engine.name, socket.number);
      if (this.#stopping) session.control.requestStop();
      // T17: a later connection may have written already, so what a client that has left sent on this one is void.
      const isStale = this.#overtaken.has(session) && hasHungUp(socket.number);
      const serving = isStale
        ? ('fenced' as const)
        : engine.serve({
            socket,
            device: holding.kind === 'descriptor' ? holding.fd.number : remoteOf(session),
            direct: holding.kind === 'descriptor' ? holding.direct : undefined,
            chunks: viewOf(session),
            facts,
            preload: payload,
            control: session.control,
            pins: account.memory,
            limit: this.rates.limitOf(rate?.account),
            buffers,
          });
      await reached('lease.served');
      outcome = await serving;
    } catch (error) {
      this.#logger.error({ err: error, session: name }, messageOf(error));
    }
    const isBalanced = settleSession(this.#ledger, account, this.#logger);
    return isBalanced || outcome === 'internal-error' ? outcome : 'ledger-violation';
  }

  #resume(session: Session): void {
    if (session.state.kind !== 'paused') return;
    const { socket, undecoded } = session.state;
    session.control.cancelPause();
    void this.#serve(session, { fd: socket, payload: Buffer.from(undecoded) });
  }

  /**
   * T17: before a client may write again, nothing of a connection that it has left may still be under way. What the
   * dead connection had sent is finished; if that takes too long it is fenced.
   */
  async #endHungUp(successor: Session): Promise<void> {
    const others = this.list().filter(
      (session) => session !== successor && session.definition.holding === successor.definition.holding,
    );
    for (const session of others) if (session.state.kind === 'prepared') this.#overtaken.add(session);
    const dead = others.filter(({ state }) => state.kind === 'serving' && hasHungUp(state.socket.number));
    await Promise.all(
      dead.map(async (session) => {
        const finished = await Promise.race([session.ended.then(() => true), delay(HUNG_UP_GRACE_MS, false)]);
        if (finished || session.state.kind !== 'serving') return;
        session.fence();
        shutdownSocket(session.state.socket.number, ShutdownHow.BOTH);
        await session.ended;
      }),
    );
  }

  #shutSockets(how: ShutdownHow): void {
    for (const session of this.list()) this.#shutSocket(session, how);
  }

  #shutSocket({ state }: Session, how: ShutdownHow): void {
    if (state.kind === 'serving') shutdownSocket(state.socket.number, how);
  }

  async #allEnded(): Promise<void> {
    await Promise.all(this.list().map((session) => session.ended));
  }
}

/** The peer may have gone long before: ENOTCONN is no error. */
function hangUp(socket: OwnedFd): void {
  shutdownSocket(socket.number, ShutdownHow.BOTH);
  socket.close();
}

function viewOf({ chunks: table, definition, fenced }: Session): ChunkView | undefined {
  return table && { table, deviceBytes: definition.holding.sizeBytes, fenced };
}

function remoteOf({ remote }: Session): EventedDevice {
  assert(remote !== undefined, 'a session of a remote device is connected before it is served');
  return remote.io;
}
