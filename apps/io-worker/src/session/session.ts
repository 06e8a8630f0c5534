import type { OwnedFd } from '@holdfast/linux';
import type { TransmissionFacts } from '@holdfast/nbd-protocol';
import type { EndReason, Engine } from '../engine/engine.js';
import { SessionControl } from '../engine/session-control.js';
import type { ChunkSource } from '../chunks/chunk-source.js';
import type { ChunkTable } from '../chunks/chunk-table.js';
import type { Holding } from '../holding/holding.js';
import type { MemoryShare } from '../memory/memory-budget.js';
import type { RateShare } from '../rate/rate-accounts.js';
import type { OpenedRemote } from '../remote/remote-device.js';

/** Why a session is over: its engine's reason, that its socket never came, or that its device is another one now. */
export type SessionEnd = EndReason | 'abandoned' | 'device-changed';

/** What was negotiated for a session; fixed from the start. */
export interface SessionDefinition {
  /** `sessions/{session}` */
  readonly name: string;
  /** `exports/{export}` */
  readonly exportName: string;
  readonly holding: Holding;
  readonly lease: bigint;
  readonly readOnly: boolean;
  readonly clientAddress: string;
  /** The gateway carries its bytes through TLS. */
  readonly tls: boolean;
  readonly startTime: Date;
  readonly facts: TransmissionFacts;
  /** What it shares with the other sessions of its account; absent: it may take what it can. */
  readonly rate?: RateShare | undefined;
  /** The chunks of the device that it is served; absent: the device. */
  readonly chunks?: ChunkSource | undefined;
}

export type SessionState =
  | { readonly kind: 'prepared'; readonly token: Uint8Array; readonly expiry: NodeJS.Timeout }
  | { readonly kind: 'serving'; readonly engine: Engine['name']; readonly socket: OwnedFd }
  /** It rests between two requests, and no engine serves it: what its client sends waits in the socket. */
  | { readonly kind: 'paused'; readonly socket: OwnedFd; readonly undecoded: Uint8Array }
  | { readonly kind: 'ended'; readonly reason: SessionEnd };

/** One client in transmission, or about to be. */
export class Session {
  readonly definition: SessionDefinition;
  /** What it may have in memory; given back when it has ended. */
  readonly memory: MemoryShare;
  readonly control = new SessionControl();
  readonly ended: Promise<SessionEnd>;
  #state: SessionState;
  readonly #resolveEnded: (reason: SessionEnd) => void;
  readonly #ending = new AbortController();
  readonly #fencing = new AbortController();
  #remote: OpenedRemote | undefined;
  #chunks: ChunkTable | undefined;
  #whenPaused: () => void = () => undefined;

  constructor(
    definition: SessionDefinition,
    memory: MemoryShare,
    state: SessionState & { kind: 'prepared' | 'paused' },
  ) {
    this.definition = definition;
    this.memory = memory;
    this.#state = state;
    let resolveEnded: (reason: SessionEnd) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      resolveEnded = resolve;
    });
    this.#resolveEnded = resolveEnded;
  }

  get state(): SessionState {
    return this.#state;
  }

  get lease(): bigint {
    return this.definition.lease;
  }

  /** Aborted when the session ends. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Its connection to another NBD server, if that is where its device is. */
  get remote(): OpenedRemote | undefined {
    return this.#remote;
  }

  /** Aborted when the session is fenced. */
  get fenced(): AbortSignal {
    return this.#fencing.signal;
  }

  /** What it may reach, if it is served chunks. */
  get chunks(): ChunkTable | undefined {
    return this.#chunks;
  }

  useChunks(table: ChunkTable): void {
    this.#chunks = table;
  }

  /** Takes a connection to another server, which goes with the session. */
  useRemote(remote: OpenedRemote): void {
    this.#remote = remote;
  }

  /** Nothing more of this session may touch the device (T17). What waits for another server, or for its chunks, fails now. */
  fence(): void {
    this.control.fence();
    this.#fencing.abort();
    this.#remote?.link.cut();
  }

  /** prepared → serving: its socket has come. paused → serving: it goes on. */
  begin(engine: Engine['name'], socket: OwnedFd): void {
    if (this.#state.kind !== 'prepared' && this.#state.kind !== 'paused') {
      throw new Error(`session is ${this.#state.kind}, not prepared`);
    }
    if (this.#state.kind === 'prepared') clearTimeout(this.#state.expiry);
    this.#state = { kind: 'serving', engine, socket };
  }

  /** Has its engine stop between two requests. Resolves when it is paused, or has ended before. */
  async rest(): Promise<void> {
    if (this.#state.kind !== 'serving') return;
    const paused = new Promise<void>((resolve) => {
      this.#whenPaused = resolve;
    });
    this.control.requestPause();
    await Promise.race([paused, this.ended]);
  }

  /** serving → paused: its engine has stopped. */
  pause(): void {
    if (this.#state.kind !== 'serving') throw new Error(`session is ${this.#state.kind}, not served`);
    const { socket } = this.#state;
    this.#state = { kind: 'paused', socket, undecoded: this.control.undecoded };
    this.#whenPaused();
  }

  /** prepared | serving | paused → ended. */
  end(reason: SessionEnd): void {
    if (this.#state.kind === 'ended') throw new Error('session has ended before');
    if (this.#state.kind === 'prepared') clearTimeout(this.#state.expiry);
    this.#state = { kind: 'ended', reason };
    this.#ending.abort();
    this.#remote?.link.leave();
    this.#resolveEnded(reason);
  }
}
