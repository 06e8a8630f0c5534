import {
  loadTlsSetup,
  openSocket,
  parseNbdUri,
  secureStream,
  type NbdUri,
  type TlsSetup,
} from '@holdfast/nbd-client';
import { HoldfastError } from '@holdfast/foundation';
import { Option, OptionReplyType, type ReplyMode } from '@holdfast/nbd-protocol';
import { ANSWER_MS_DEFAULT } from '../limits.js';
import { PeerFault } from '../peer-fault.js';
import { contextData, infoData, option } from '../wire/option.js';
import { replyName, type OptionAnswer } from '../wire/option-reply.js';
import { RawStream } from '../wire/raw-stream.js';
import { factsOf, type ExportFacts } from './export-facts.js';
import { Handshake } from './handshake.js';
import { Session } from './session.js';
import { selectContexts } from './contexts.js';

/** What a server tells of the export in each mode that it has. */
export type Survey = ReadonlyMap<ReplyMode, ExportFacts>;

/** A part of the export, in bytes. */
export interface Region {
  readonly offset: bigint;
  readonly length: number;
}

/** How a session is to begin. */
export interface Entry {
  /** Metadata contexts to select. Default none. */
  readonly contexts?: readonly string[];
  /** Ask for NBD_INFO_BLOCK_SIZE. Default true. */
  readonly asksBlockSize?: boolean;
}

const modeOption: Readonly<Record<ReplyMode, number | undefined>> = {
  simple: undefined,
  structured: Option.STRUCTURED_REPLY,
  extended: Option.EXTENDED_HEADERS,
};

/** The server under check, and how to get at it. */
export class Server {
  readonly uri: NbdUri;
  readonly answerMs: number;
  /** What the server offers, by mode of replies; empty before {@link survey}. */
  modes: Survey = new Map();
  /** The modes in which `base:allocation` can be selected. */
  modesWithContexts: ReadonlySet<ReplyMode> = new Set();
  /** What may be overwritten; undefined unless the user allowed it. */
  region: Region | undefined;
  #tls: TlsSetup | undefined;
  /** A session that may be used once more. Only one, and only as long as no other is wanted: some servers serve one client. */
  #idle: { readonly key: string; readonly session: Session } | undefined;

  private constructor(uri: NbdUri, answerMs: number) {
    this.uri = uri;
    this.answerMs = answerMs;
  }

  /** @throws HoldfastError NBD_URI_INVALID, NBD_TLS_FAILED when a file that the URI names cannot be used */
  static async at(text: string, answerMs = ANSWER_MS_DEFAULT): Promise<Server> {
    const uri = parseNbdUri(text);
    const server = new Server(uri, answerMs);
    const { address, tls } = uri;
    if (tls !== undefined) {
      server.#tls = await loadTlsSetup(tls, address.kind === 'tcp' ? address.host : undefined);
    }
    return server;
  }

  get exportName(): string {
    return this.uri.exportName;
  }

  /** The URI insists on TLS. */
  get usesTls(): boolean {
    return this.#tls !== undefined;
  }

  /** A connection before the greeting. @throws HoldfastError NBD_SERVER_UNREACHABLE */
  async connect(): Promise<RawStream> {
    this.leaveIdle();
    return new RawStream(await openSocket(this.uri.address, this.answerMs), this.answerMs);
  }

  /** Whether it greets nobody any more. One that dies may still take connections, and says nothing on them. */
  async isGone(): Promise<boolean> {
    try {
      (await this.greet()).close();
      return false;
    } catch (error) {
      if (isUnreachable(error) || error instanceof PeerFault) return true;
      throw error;
    }
  }

  /** A connection behind the greeting, in the clear. */
  async greet(clientFlags?: number): Promise<Handshake> {
    return closingOnError(await this.connect(), (stream) => Handshake.begin(stream, clientFlags));
  }

  /** A connection behind the greeting, and behind TLS if the URI insists on it. */
  async negotiate(clientFlags?: number): Promise<Handshake> {
    const handshake = await this.greet(clientFlags);
    if (this.#tls === undefined) return handshake;
    return closingOnError(handshake.stream, async () => {
      const answer = await handshake.ask(Option.STARTTLS);
      if (answer.end.type === OptionReplyType.ACK) return this.secure(handshake);
      throw new PeerFault(`${replyName(answer.end.type)} to NBD_OPT_STARTTLS`);
    });
  }

  /** Does TLS on a connection whose STARTTLS was granted. @throws PeerFault if that fails */
  async secure(handshake: Handshake): Promise<Handshake> {
    if (this.#tls === undefined) throw new PeerFault('TLS, which the URI does not ask for');
    const plain = handshake.stream.detach();
    try {
      const secured = await secureStream(plain, this.#tls, this.answerMs);
      return handshake.over(new RawStream(secured, this.answerMs));
    } catch (error) {
      if (error instanceof HoldfastError) throw new PeerFault(error.message);
      throw error;
    }
  }

  /** As {@link enter}, with a session that was given back, if there is one of that kind. */
  async take(mode: ReplyMode, entry: Entry): Promise<Session> {
    if (this.#idle?.key !== keyOf(mode, entry)) return this.enter(mode, entry);
    const { session } = this.#idle;
    this.#idle = undefined;
    return session;
  }

  /** Gives a session back, on which nothing is outstanding. */
  giveBack(mode: ReplyMode, entry: Entry, session: Session): void {
    this.leaveIdle();
    this.#idle = { key: keyOf(mode, entry), session };
  }

  leaveIdle(): void {
    this.#idle?.session.leave();
    this.#idle = undefined;
  }

  /** A connection in transmission. @throws PeerFault if the server does not grant it */
  async enter(mode: ReplyMode, entry: Entry = {}): Promise<Session> {
    const handshake = await this.negotiate();
    return closingOnError(handshake.stream, async () => {
      await chooseMode(handshake, mode);
      const { contexts: names = [], asksBlockSize = true } = entry;
      const contexts =
        names.length === 0
          ? new Map<string, number>()
          : await selectContexts(handshake, contextData(this.exportName, ...names));
      const facts = await this.#go(handshake, mode, asksBlockSize);
      return new Session(handshake.stream, mode, facts, contexts);
    });
  }

  async #go(handshake: Handshake, mode: ReplyMode, asksBlockSize: boolean): Promise<ExportFacts> {
    const data = infoData(this.exportName, ...(asksBlockSize ? [3] : []));
    const answer = await handshake.ask(Option.GO, data);
    if (answer.end.type === OptionReplyType.ACK) return factsOf(answer);
    const isUnknown = answer.end.type === OptionReplyType.ERR_UNSUP && mode !== 'extended';
    if (!isUnknown) throw new Refused(Option.GO, answer);
    handshake.stream.send(option(Option.EXPORT_NAME, this.exportName));
    const reply = await handshake.stream.read(10);
    return { sizeBytes: reply.readBigUInt64BE(0), flags: reply.readUInt16BE(8), blockSize: undefined };
  }
}

/** Whether nothing listens there, or nobody answers. */
export function isUnreachable(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code === 'NBD_SERVER_UNREACHABLE';
}

/** An option was answered by an error that leaves no way into transmission. */
export class Refused extends PeerFault {
  constructor(
    readonly option: number,
    readonly answer: OptionAnswer,
  ) {
    super(`${replyName(answer.end.type)} to option ${option}`);
  }
}

function keyOf(mode: ReplyMode, entry: Entry): string {
  return `${mode} ${JSON.stringify(entry)}`;
}

async function chooseMode(handshake: Handshake, mode: ReplyMode): Promise<void> {
  const code = modeOption[mode];
  if (code === undefined) return;
  const answer = await handshake.ask(code);
  if (answer.end.type !== OptionReplyType.ACK) throw new Refused(code, answer);
}

async function closingOnError<Result>(
  stream: RawStream,
  work: (stream: RawStream) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(stream);
  } catch (error) {
    stream.close();
    throw error;
  }
}
