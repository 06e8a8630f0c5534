import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { sessionName } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import { HANDOFF_PAYLOAD_MAX, sendHandoff } from '@holdfast/linux';
import type { Logger } from '@holdfast/service';
import type { ExportService } from '../export/export.service.js';
import type { LimitsHit } from '../gateway/limits-hit.js';
import type { SessionCensus } from '../session/session-census.js';
import type { OpenedSession, SessionOpener } from '../session/session-opener.js';
import { clientAddress, detachSocket } from './client-socket.js';
import { negotiate } from './negotiation.js';
import { patienceOf } from './patience.js';

/** A client in the handshake. */
export interface Negotiating {
  /** `sessions/{session}` */
  readonly name: string;
  readonly clientAddress: string;
  readonly startTime: Date;
  readonly socket: Socket;
}

export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly handshakeMs: number;
}

/** From accept to the worker: bounds, the handshake, the passing of the socket. */
export class ConnectionService {
  readonly #negotiating = new Map<string, Negotiating>();
  #accepted = 0;
  #stopping = false;

  constructor(
    private readonly exports: ExportService,
    private readonly opener: SessionOpener,
    private readonly census: SessionCensus,
    private readonly limits: ConnectionLimits,
    private readonly limitsHit: LimitsHit,
    private readonly workerHandoff: string,
    private readonly logger: Logger,
  ) {}

  get accepted(): number {
    return this.#accepted;
  }

  /** The clients in the handshake now. */
  negotiating(): Negotiating[] {
    return [...this.#negotiating.values()];
  }

  /** Takes a connection that was just accepted; all that follows is reported in the log, nothing is thrown. */
  accept(socket: Socket): void {
    this.#accepted++;
    // An error is also seen by whoever waits for the stream; without a listener it would end the process.
    socket.on('error', () => undefined);
    const address = clientAddress(socket);
    if (address === undefined) {
      socket.destroy();
      return;
    }
    if (this.#connections >= this.limits.connectionsMax) {
      this.limitsHit.hit('connections', address);
      socket.destroy();
      return;
    }
    const client: Negotiating = {
      name: sessionName.format(randomUUID()),
      clientAddress: address,
      startTime: new Date(),
      socket,
    };
    this.#negotiating.set(client.name, client);
    const deadline = setTimeout(() => {
      // Answered in time, and on its way to the worker.
      if (socket.destroyed) return;
      this.limitsHit.hit('handshake-time', address);
      socket.destroy();
    }, this.limits.handshakeMs);
    void this.#run(client).finally(() => {
      clearTimeout(deadline);
      this.#negotiating.delete(client.name);
    });
  }

  /** N12: clients in the handshake are told that the server stops; those that say nothing are cut off. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const deadline = Date.now() + graceMs;
    while (this.#negotiating.size > 0 && Date.now() < deadline)
      await new Promise((wake) => setTimeout(wake, 10));
    for (const { socket } of this.#negotiating.values()) socket.destroy();
  }

  /** One that is being passed on is in both: counted once. */
  get #connections(): number {
    const unopened = [...this.#negotiating.keys()].filter((name) => !this.census.has(name));
    return unopened.length + this.census.total;
  }

  async #run(client: Negotiating): Promise<void> {
    const { socket, name } = client;
    const log = { session: name, clientAddress: client.clientAddress };
    try {
      const end = await negotiate(socket, client, {
        exports: this.exports,
        opener: this.opener,
        stopping: () => this.#stopping,
        patience: patienceOf(this.limits.handshakeMs, () => this.#stopping || socket.destroyed),
        onFailure: (error) => {
          this.logger.error({ ...log, err: error }, `cannot serve: ${messageOf(error)}`);
        },
      });
      if (end.kind === 'transmission') {
        await this.#passOn(client, end.opened, end.remainder);
        return;
      }
      if (end.reason === 'options-limit' || end.reason === 'total-bytes-limit') {
        this.limitsHit.hit(end.reason, client.clientAddress);
      }
      this.logger.debug({ ...log, reason: end.reason }, 'the handshake ended');
      // Flushes what was written; a client that does not read it is cut off by the deadline.
      await new Promise<void>((resolve) => {
        socket.end(() => {
          resolve();
        });
      });
      socket.destroy();
    } catch (error) {
      // The client went away in the middle; nothing is left of it.
      this.logger.debug({ ...log }, `the handshake broke off: ${messageOf(error)}`);
      socket.destroy();
    }
  }

  async #passOn(client: Negotiating, opened: OpenedSession, remainder: Uint8Array): Promise<void> {
    try {
      // The client may have gone since it was answered; then there is nothing to detach.
      const { fd, alreadyRead } = detachSocket(client.socket);
      using descriptor = fd;
      const payload = Buffer.concat([remainder, alreadyRead]);
      if (payload.length > HANDOFF_PAYLOAD_MAX)
        throw new Error('the client sent requests before it was answered');
      await sendHandoff(this.workerHandoff, opened.token, payload, descriptor.number);
      this.logger.debug({ session: client.name, export: opened.description.name }, 'passed to the worker');
    } catch (error) {
      this.logger.warn({ session: client.name }, `not passed to the worker: ${messageOf(error)}`);
      await this.opener.abandon(client.name);
    }
  }
}
