import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, unreachable } from '@holdfast/foundation';
import type { NbdConnection } from '@holdfast/nbd-client';
import type { Logger } from '@holdfast/service';
import { Backoff } from './backoff.js';
import { isAnotherExport, isLoss, UpstreamAwayError } from './link-errors.js';
import { waitFor } from './wait-for.js';

/** What becomes of requests while there is no connection. */
export interface LinkPolicy {
  /** Whether requests that were not answered are sent again once the server is back, or fail. */
  readonly onDisconnect: 'replay' | 'fail';
  /** With `replay`: how long they wait for that, milliseconds. */
  readonly reconnectMs: number;
}

export interface LinkParts {
  /**
   * Connects and compares what is offered with what was.
   *
   * @throws HoldfastError DEVICE_IDENTITY_MISMATCH when it is another export now: there is no use in trying again
   */
  readonly connect: (signal: AbortSignal) => Promise<NbdConnection>;
  readonly policy: LinkPolicy;
  /** Called when a connection was lost, before anything is sent on the next. */
  readonly onLost: () => void;
  readonly logger: Logger;
  readonly backoff?: Backoff;
}

type LinkState =
  | { readonly kind: 'up'; readonly connection: NbdConnection }
  | {
      readonly kind: 'down';
      /** By performance.now(). */
      readonly since: number;
      /** Resolves when the attempt under way, or the next one, has ended in whatever way. */
      readonly attempt: Promise<void>;
    }
  /** It is another export now. */
  | { readonly kind: 'changed'; readonly reason: unknown }
  | { readonly kind: 'closed' };

/**
 * One session's connection to another NBD server, made anew whenever it is lost. A request that the server has answered is
 * never sent again; one that it has not is, or fails, as the policy says.
 */
export class UpstreamLink {
  /** Resolves if the export turns out to be another one after a reconnect: nothing works any more. */
  readonly changed: Promise<void>;
  readonly #parts: LinkParts;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #state: LinkState;
  #resolveChanged: () => void = () => undefined;

  private constructor(parts: LinkParts, connection: NbdConnection) {
    this.#parts = parts;
    this.#backoff = parts.backoff ?? new Backoff();
    this.changed = new Promise((resolve) => {
      this.#resolveChanged = resolve;
    });
    this.#state = this.#up(connection);
  }

  /** Connects for the first time. @throws HoldfastError as `connect` does: there is one attempt */
  static async open(parts: LinkParts, signal: AbortSignal): Promise<UpstreamLink> {
    return new UpstreamLink(parts, await parts.connect(signal));
  }

  get hasChanged(): boolean {
    return this.#state.kind === 'changed';
  }

  /**
   * Carries a request out on the connection that there is then. What it does must bear repeating: it is called again after
   * a loss.
   *
   * @throws UpstreamAwayError, or what the request throws that is no loss of the connection
   */
  async run<Result>(request: (connection: NbdConnection) => Promise<Result>): Promise<Result> {
    let deadline = Infinity;
    for (;;) {
      const connection = await this.#connected(deadline);
      try {
        const result = await request(connection);
        this.#backoff.reset();
        return result;
      } catch (error) {
        if (!isLoss(error)) throw error;
        this.#lose(connection, error);
        const { onDisconnect, reconnectMs } = this.#parts.policy;
        if (onDisconnect === 'fail') throw new UpstreamAwayError('its connection was lost', error);
        deadline = Math.min(deadline, performance.now() + reconnectMs);
      }
    }
  }

  /** Says goodbye, in the background: no request is under way. */
  leave(): void {
    if (this.#state.kind === 'up') void this.#state.connection.disconnect();
    this.#close();
  }

  /** Cuts the connection: requests under way fail at once, and none is sent any more. */
  cut(): void {
    const { connection } = this.#state.kind === 'up' ? this.#state : {};
    this.#close();
    connection?.destroy();
  }

  #close(): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed' };
    this.#closing.abort();
  }

  /** @param deadline of a request that was sent, by performance.now(); Infinity for one that was not */
  async #connected(deadline: number): Promise<NbdConnection> {
    for (let hasWaited = deadline !== Infinity; ; hasWaited = true) {
      const state = this.#state;
      switch (state.kind) {
        case 'up':
          return state.connection;
        case 'closed':
          throw new UpstreamAwayError('the session is over');
        case 'changed':
          throw state.reason;
        case 'down':
          await this.#outlast(state, deadline, hasWaited);
          break;
        default:
          unreachable(state);
      }
    }
  }

  /** Waits for a connection, or less long: the caller looks again. @throws UpstreamAwayError when it has waited enough */
  async #outlast(
    { since, attempt }: LinkState & { kind: 'down' },
    deadline: number,
    hasWaited: boolean,
  ): Promise<void> {
    const { onDisconnect, reconnectMs } = this.#parts.policy;
    const leftMs = Math.min(deadline, since + reconnectMs) - performance.now();
    if (onDisconnect === 'replay' && leftMs > 0) {
      await waitFor(attempt, leftMs);
      return;
    }
    if (hasWaited) throw new UpstreamAwayError(`it did not come back within ${String(reconnectMs / 1000)} s`);
    // It is not to be waited for, or has been for long enough; whether it is back is worth one attempt.
    await attempt;
    if (this.#state.kind === 'down') throw new UpstreamAwayError('it could not be connected to');
  }

  #up(connection: NbdConnection): LinkState {
    void connection.closed.then((reason) => {
      this.#lose(connection, reason);
    });
    return { kind: 'up', connection };
  }

  /** At once when the connection ends, whether a request is under way or not. */
  #lose(connection: NbdConnection, reason: unknown): void {
    if (this.#state.kind !== 'up' || this.#state.connection !== connection) return;
    connection.destroy();
    this.#parts.onLost();
    this.#parts.logger.warn(
      { reason: messageOf(reason) },
      'lost the connection to the NBD server, connecting anew',
    );
    this.#tryAgain(performance.now());
  }

  #tryAgain(since: number): void {
    const attempt = this.#attempt(since);
    this.#state = { kind: 'down', since, attempt };
  }

  /** One pause and one attempt; after a failure the next begins. Never throws. */
  async #attempt(since: number): Promise<void> {
    const { connect, logger } = this.#parts;
    const { signal } = this.#closing;
    await delay(this.#backoff.next(), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const connection = await connect(signal);
      if (this.#closing.signal.aborted) {
        connection.destroy();
        return;
      }
      this.#state = this.#up(connection);
      logger.info({ awayMs: Math.round(performance.now() - since) }, 'connected to the NBD server again');
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (isAnotherExport(error)) this.#change(error);
      else {
        logger.debug({ reason: messageOf(error) }, 'the NBD server is not back yet');
        this.#tryAgain(since);
      }
    }
  }

  #change(reason: unknown): void {
    this.#state = { kind: 'changed', reason };
    this.#parts.logger.error({ reason: messageOf(reason) }, `the session ends: ${messageOf(reason)}`);
    this.#resolveChanged();
  }
}
