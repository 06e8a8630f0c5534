import type { Socket } from 'node:net';
import { assert, unreachable } from '@holdfast/foundation';
import {
  ServerHandshake,
  type ExportInquiry,
  type HandshakeEnd,
  type HandshakeRequest,
  type Refusal,
} from '@holdfast/nbd-protocol';
import type { ExportRecord } from '@holdfast/store';
import { readBuffered } from '../client/client-socket.js';
import { PlainStream, type ClientStream } from '../client/client-stream.js';
import type { ConnectedClient } from '../client/connected-client.js';
import type { ExportService } from '../export/export.service.js';
import type { OpenedSession, SessionOpener } from '../session/session-opener.js';
import type { TlsUpgrade } from '../tls/tls-upgrade.js';
import { patiently, type Patience } from './patience.js';
import { refusalOf } from './refusals.js';

const STOPPING = 'the server is stopping';

/** How a negotiation ended. The stream is that of the socket, or the one inside TLS. */
export type NegotiationEnd =
  | {
      readonly kind: 'transmission';
      readonly opened: OpenedSession;
      readonly remainder: Uint8Array;
      readonly stream: ClientStream;
    }
  | {
      readonly kind: 'closed';
      readonly reason: HandshakeEnd | 'end-of-stream';
      readonly stream: ClientStream;
    };

/** What the negotiation needs of the gateway. */
export interface NegotiationParts {
  readonly exports: ExportService;
  readonly opener: SessionOpener;
  /** Without it there is no TLS. */
  readonly tls: TlsUpgrade | undefined;
  /** N12: while stopping, clients are told so. */
  readonly stopping: () => boolean;
  /** How long this client waits for a registry or a worker that is being restarted. */
  readonly patience: Patience;
  /** Something failed that is not the client's doing. */
  readonly onFailure: (error: unknown) => void;
  /** A TLS handshake failed; the connection is about to be closed. */
  readonly onTlsFailure: (error: unknown) => void;
}

/** Runs the handshake of one client to its end. */
export function negotiate(
  socket: Socket,
  client: Omit<ConnectedClient, 'certificateNames'>,
  parts: NegotiationParts,
): Promise<NegotiationEnd> {
  return new Negotiation(socket, client, parts).run();
}

/** Pulls requests from the state machine and answers them. */
class Negotiation {
  readonly #handshake: ServerHandshake;
  readonly #parts: NegotiationParts;
  readonly #plain: PlainStream;
  #stream: ClientStream;
  #client: ConnectedClient;

  constructor(socket: Socket, client: Omit<ConnectedClient, 'certificateNames'>, parts: NegotiationParts) {
    this.#handshake = new ServerHandshake({ tlsMode: parts.tls?.mode ?? 'off' });
    this.#parts = parts;
    this.#plain = new PlainStream(socket);
    this.#stream = this.#plain;
    this.#client = { ...client, certificateNames: undefined };
  }

  async run(): Promise<NegotiationEnd> {
    await this.#stream.write(this.#handshake.greeting());
    for (;;) {
      if (this.#parts.stopping()) this.#handshake.stop();
      const end = await this.#take(this.#handshake.next());
      if (end !== undefined) return end;
    }
  }

  /** Does what the machine asks. @returns the end, if this was it */
  async #take(request: HandshakeRequest): Promise<NegotiationEnd | undefined> {
    const { exports } = this.#parts;
    switch (request.kind) {
      case 'need-input': {
        const chunk = await this.#stream.read();
        if (chunk === undefined) return this.#closed('end-of-stream');
        this.#handshake.push(chunk);
        return undefined;
      }
      case 'reply':
        return this.#send(request.bytes);
      case 'list':
        return this.#answer(async () => this.#handshake.answerList(await exports.listings(this.#client)));
      case 'meta-contexts':
        return this.#answer(async () => {
          const record = await exports.resolve(request.exportName, this.#client);
          return this.#handshake.answerMetaContexts(await exports.contexts(record));
        });
      case 'info':
        return this.#answer(() => this.#inform(request));
      case 'go':
        return this.#go(request);
      case 'start-tls':
        return this.#secure(request.bytes);
      case 'close':
        // The peer may already be gone (N6).
        if (request.bytes !== undefined) await this.#stream.write(request.bytes).catch(() => undefined);
        return this.#closed(request.reason);
      default:
        return unreachable(request);
    }
  }

  async #inform(inquiry: ExportInquiry): Promise<Uint8Array | Refusal> {
    const { exports } = this.#parts;
    const record = await exports.resolve(inquiry.exportName, this.#client);
    if (mustAskForBlockSize(record, inquiry)) return this.#handshake.refuseWithoutBlockSize(record.blockSize);
    return this.#handshake.answerInfo(await exports.describe(record, inquiry.negotiated));
  }

  async #go(inquiry: ExportInquiry): Promise<NegotiationEnd | undefined> {
    const { exports, opener } = this.#parts;
    let opened: OpenedSession | undefined;
    const { bytes, close } = await this.#attempt(async () => {
      const record = await exports.resolve(inquiry.exportName, this.#client);
      if (mustAskForBlockSize(record, inquiry))
        return this.#handshake.refuseWithoutBlockSize(record.blockSize);
      await this.#parts.tls?.settleBefore(this.#client.name);
      opened = await opener.open({ client: this.#client, record, negotiated: inquiry.negotiated });
      return this.#handshake.answerGo(opened.description);
    });
    if (opened === undefined) return close ? this.#closed('export-name-refused') : this.#send(bytes);
    try {
      await this.#stream.write(bytes);
      const remainder = this.#handshake.takeRemainder();
      return { kind: 'transmission', opened, remainder, stream: this.#stream };
    } catch (error) {
      // An answer that does not reach the client leaves no session behind.
      await opener.abandon(this.#client.name);
      throw error;
    }
  }

  /** N7: what came in plain text is gone before the client is told to begin. */
  async #secure(acknowledgement: Uint8Array): Promise<undefined> {
    const { tls } = this.#parts;
    assert(tls !== undefined, 'STARTTLS is acknowledged where there is TLS');
    const socket = await this.#plain.release();
    readBuffered(socket);
    await this.#plain.write(acknowledgement);
    try {
      const { stream, certificateNames } = await tls.upgrade(socket, this.#client.name);
      this.#stream = stream;
      this.#client = { ...this.#client, certificateNames };
      this.#handshake.secured();
    } catch (error) {
      this.#parts.onTlsFailure(error);
      this.#handshake.notSecured();
    }
  }

  async #answer(act: () => Promise<Uint8Array | Refusal>): Promise<undefined> {
    await this.#send((await this.#attempt(act)).bytes);
  }

  /** The answer, or the refusal that the protocol has for what went wrong. */
  async #attempt(act: () => Promise<Uint8Array | Refusal>): Promise<Refusal> {
    const { patience, stopping } = this.#parts;
    if (stopping()) return this.#handshake.refuse('shutdown', STOPPING);
    try {
      const answer = await patiently(patience, act);
      return 'bytes' in answer ? answer : { bytes: answer, close: false };
    } catch (error) {
      if (stopping()) return this.#handshake.refuse('shutdown', STOPPING);
      const { reason, message, isOurs } = refusalOf(error);
      if (isOurs) this.#parts.onFailure(error);
      return this.#handshake.refuse(reason, message);
    }
  }

  async #send(bytes: Uint8Array): Promise<undefined> {
    await this.#stream.write(bytes);
  }

  #closed(reason: HandshakeEnd | 'end-of-stream'): NegotiationEnd {
    return { kind: 'closed', reason, stream: this.#stream };
  }
}

/** Whether a client has to ask for the block sizes of an export, and has not. */
function mustAskForBlockSize({ blockSize }: ExportRecord, { blockSizeAsked }: ExportInquiry): boolean {
  return blockSize.required && !blockSizeAsked;
}
