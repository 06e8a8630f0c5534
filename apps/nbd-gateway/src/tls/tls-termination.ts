import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '@holdfast/foundation';
import type { Logger } from '@holdfast/service';
import { certificateNames } from './certificate-names.js';
import type { CurrentAcceptor } from './current-acceptor.js';
import { TlsStream } from './tls-stream.js';
import type { SecuredClient, TlsUpgrade } from './tls-upgrade.js';

/** While stopping, clients get this long to be told ESHUTDOWN before they are no longer read: as in the worker. */
const STOP_GRACE_MS = 200;

/** How long requests under way may take when the gateway stops: as long as the worker has by default. */
const DRAIN_MS = 10_000;

/** TLS by Node's own. Its sessions live as long as this process. */
export class TlsTermination implements TlsUpgrade {
  readonly #streams = new Set<TlsStream>();

  /** @param stopSession asks the worker to answer new requests of a session with ESHUTDOWN */
  constructor(
    readonly mode: TlsUpgrade['mode'],
    private readonly acceptor: CurrentAcceptor,
    private readonly stopSession: (session: string) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  get lingering(): number {
    return this.#relays().filter(({ lingers }) => lingers).length;
  }

  async upgrade(socket: Socket, session: string): Promise<SecuredClient> {
    const secure = await this.acceptor.get().accept(socket);
    const stream = new TlsStream(secure, socket, session);
    this.#streams.add(stream);
    secure.once('close', () => this.#streams.delete(stream));
    const certificate = secure.getPeerX509Certificate();
    return { stream, certificateNames: certificate === undefined ? [] : certificateNames(certificate) };
  }

  async settleBefore(session: string): Promise<void> {
    const others = [...this.#streams].filter((stream) => stream.session !== session);
    await Promise.all(others.map((stream) => stream.giveWay()));
  }

  async drain(): Promise<void> {
    const relayed = [...this.#streams].filter(({ relay }) => relay !== undefined);
    if (relayed.length === 0) return;
    this.logger.info({ sessions: relayed.length }, 'ending the sessions inside TLS');
    await Promise.all(
      relayed.map(({ session }) =>
        this.stopSession(session).catch((error: unknown) => {
          this.logger.debug({ session }, `the worker was not told: ${messageOf(error)}`);
        }),
      ),
    );
    await this.#closed(STOP_GRACE_MS);
    for (const relay of this.#relays()) relay.endRequests();
    await this.#closed(DRAIN_MS);
    for (const relay of this.#relays()) relay.destroy();
  }

  /** Waits until no relay is left, or no longer. */
  async #closed(waitMs: number): Promise<void> {
    const all = Promise.all(this.#relays().map(({ closed }) => closed));
    await Promise.race([all, delay(waitMs, undefined, { ref: false })]);
  }

  #relays() {
    return [...this.#streams].flatMap(({ relay }) => relay ?? []);
  }
}
