import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { sessionName } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import { HANDOFF_PAYLOAD_MAX, sendHandoff } from '@holdfast/linux';
import { reached, type Logger } from '@holdfast/service';
import { clientOf, formatPeer } from '../client/client-peer.js';
import { peerOf } from '../client/client-socket.js';
import type { ConnectedClient } from '../client/connected-client.js';
import type { ExportService } from '../export/export.service.js';
import type { LimitsHit } from '../gateway/limits-hit.js';
import type { SessionCensus } from '../session/session-census.js';
import type { SessionOpener } from '../session/session-opener.js';
import type { TlsUpgrade } from '../tls/tls-upgrade.js';
import { negotiate, type NegotiationEnd } from './negotiation.js';
import { patienceOf } from './patience.js';

/** A client in the handshake. */
export interface Negotiating extends Omit<ConnectedClient, 'certificateNames'> {
  readonly socket: Socket;
}

export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly clientConnectionsMax: number;
  readonly handshakeMs: number;
}

/** From accept to the worker: bounds, the handshake, the passing of the socket. */
export class ConnectionService {
  readonly #negotiating = new Map<string, Negotiating>();
  #accepted = 0;
  #tlsFailures = 0;
  #stopping = false;

  constructor(
    private readonly exports: ExportService,
    private readonly opener: SessionOpener,
    private readonly census: SessionCensus,
    private readonly limits: ConnectionLimits,
    private readonly limitsHit: LimitsHit,
    private readonly tls: TlsUpgrade | undefined,
    private readonly workerHandoff: string,
    private readonly logger: Logger,
  ) {}

  get accepted(): number {
    return this.#accepted;
  }

  /** TLS handshakes that failed. */
  get tlsFailures(): number {
    return this.#tlsFailures;
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
    const peer = peerOf(socket);
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const address = formatPeer(peer);
    const limit = this.#limitReachedBy(address);
    if (limit !== undefined) {
      this.limitsHit.hit(limit, address);
      socket.destroy();
      return;
    }
    void this.#run({ name: sessionName.format(randomUUID()), peer, address, startTime: new Date(), socket });
  }

  /** N12: clients in the handshake are told that the server stops; those that say nothing are cut off. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const deadline = Date.now() + graceMs;
    while (this.#negotiating.size > 0 && Date.now() < deadline)
      await new Promise((wake) => setTimeout(wake, 10));
    for (const { socket } of this.#negotiating.values()) socket.destroy();
  }

  /** N10: the limit that one more connection from this address would exceed. */
  #limitReachedBy(address: string): 'connections' | 'client-connections' | undefined {
    // One that is being passed on is in both: counted once.
    const unopened = this.negotiating().filter(({ name }) => !this.census.has(name));
    const lingering = this.tls?.lingering ?? 0;
    if (unopened.length + this.census.total + lingering >= this.limits.connectionsMax) return 'connections';
    const client = clientOf(address);
    const negotiating = unopened.filter((one) => clientOf(one.address) === client).length;
    const own = negotiating + this.census.countOfClient(client);
    return own >= this.limits.clientConnectionsMax ? 'client-connections' : undefined;
  }

  async #run(client: Negotiating): Promise<void> {
    const { socket, name, address } = client;
    const log = { session: name, clientAddress: address };
    this.#negotiating.set(name, client);
    const deadline = setTimeout(() => {
      if (socket.destroyed) return;
      this.limitsHit.hit('handshake-time', address);
      socket.destroy();
    }, this.limits.handshakeMs);
    try {
      const end = await negotiate(socket, client, {
        exports: this.exports,
        opener: this.opener,
        tls: this.tls,
        stopping: () => this.#stopping,
        patience: patienceOf(this.limits.handshakeMs, () => this.#stopping || socket.destroyed),
        onFailure: (error) => {
          this.logger.error({ ...log, err: error }, `cannot serve: ${messageOf(error)}`);
        },
        onTlsFailure: (error) => {
          this.#tlsFailures++;
          this.logger.warn({ ...log }, `TLS was not established: ${messageOf(error)}`);
        },
      });
      if (end.kind === 'transmission') {
        // Answered in time, and on its way to the worker.
        clearTimeout(deadline);
        await this.#passOn(client, end);
        return;
      }
      if (end.reason === 'options-limit' || end.reason === 'total-bytes-limit') {
        this.limitsHit.hit(end.reason, address);
      }
      this.logger.debug({ ...log, reason: end.reason }, 'the handshake ended');
      // A client that does not read what was written is cut off by the deadline.
      await end.stream.end();
    } catch (error) {
      // The client went away in the middle; nothing is left of it.
      this.logger.debug({ ...log }, `the handshake broke off: ${messageOf(error)}`);
    } finally {
      clearTimeout(deadline);
      this.#negotiating.delete(name);
    }
    socket.destroy();
  }

  async #passOn(client: Negotiating, end: NegotiationEnd & { kind: 'transmission' }): Promise<void> {
    const { opened, stream, remainder } = end;
    try {
      await reached('lease.answered');
      // The client may have gone since it was answered; then there is nothing to detach.
      const { fd, alreadyRead } = await stream.detach();
      using descriptor = fd;
      const payload = Buffer.concat([remainder, alreadyRead]);
      if (payload.length > HANDOFF_PAYLOAD_MAX)
        throw new Error('the client sent requests before it was answered');
      await sendHandoff(this.workerHandoff, opened.token, payload, descriptor.number);
      await reached('lease.passed');
      this.logger.debug({ session: client.name, export: opened.description.name }, 'passed to the worker');
    } catch (error) {
      this.logger.warn({ session: client.name }, `not passed to the worker: ${messageOf(error)}`);
      await this.opener.abandon(client.name);
    }
  }
}
