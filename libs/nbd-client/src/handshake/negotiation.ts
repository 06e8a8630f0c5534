import type { Duplex } from 'node:stream';
import type { ExportListing, MetaContext, ReplyMode } from '@holdfast/nbd-protocol';
import { clientSettings, type ClientOptions, type ClientSettings } from '../client-options.js';
import { enterTransmission } from '../enter-transmission.js';
import { NbdOptionError } from '../errors/option-error.js';
import { NbdProtocolError } from '../errors/protocol-error.js';
import { NbdRequestError } from '../errors/request-error.js';
import type { NbdConnection } from '../nbd-connection.js';
import { secureStream } from '../socket/tls/secure-stream.js';
import type { TlsSetup } from '../socket/tls/tls-setup.js';
import { checkContextQueries, checkExportName } from './checked-names.js';
import type { ExportInfo } from './export-info.js';
import { HandshakeChannel } from './handshake-channel.js';
import { infoOption } from './options/info.js';
import { listOption } from './options/list.js';
import { listMetaContextOption, setMetaContextOption } from './options/meta-context.js';
import { plainOption } from './options/plain-option.js';

/** Refusals that speak of the connection rather than of the option. */
const HOPELESS: ReadonlySet<string> = new Set(['ERR_TLS_REQD', 'ERR_SHUTDOWN']);

/**
 * A handshake under way: asks a server about its exports, one question after the other, and in the end enters transmission
 * with one of them ({@link go}) or leaves ({@link abort}).
 *
 * A question that the server refuses throws NbdOptionError, and the next may be asked. Every other error ends the
 * connection.
 */
export class NbdNegotiation implements AsyncDisposable {
  readonly #channel: HandshakeChannel;
  readonly #settings: ClientSettings;
  #replyMode: ReplyMode = 'simple';
  #isSecure = false;
  /** What was selected last, and for which export (N9). */
  #selection: { readonly exportName: string; readonly contexts: readonly MetaContext[] } | undefined;

  private constructor(channel: HandshakeChannel, settings: ClientSettings) {
    this.#channel = channel;
    this.#settings = settings;
  }

  /**
   * Greets the server on a stream, which belongs to the result from now on.
   *
   * @throws HoldfastError NBD_SERVER_TOO_OLD, NBD_PROTOCOL_VIOLATION, NBD_SERVER_UNREACHABLE or NBD_CONNECTION_LOST
   */
  static async begin(stream: Duplex, options: ClientOptions = {}): Promise<NbdNegotiation> {
    const settings = clientSettings(options);
    const channel = new HandshakeChannel(stream, settings.answerMs, settings.receive);
    await channel.greet();
    return new NbdNegotiation(channel, settings);
  }

  /** How requests and replies will look. */
  get replyMode(): ReplyMode {
    return this.#replyMode;
  }

  /** Whether TLS is up. */
  get isSecure(): boolean {
    return this.#isSecure;
  }

  /** STARTTLS. Nothing that was negotiated before holds afterwards (N7). */
  async startTls(setup: TlsSetup): Promise<void> {
    await this.#channel.ask(plainOption('STARTTLS'));
    this.#replyMode = 'simple';
    this.#selection = undefined;
    const { stream } = this.#channel.release();
    this.#channel.resume(await secureStream(stream, setup, this.#settings.answerMs));
    this.#isSecure = true;
  }

  /** Negotiates the most that the options allow: extended headers, else structured replies, else nothing. */
  async negotiateReplies(): Promise<ReplyMode> {
    if (this.#settings.extendedHeaders && (await this.#grants('EXTENDED_HEADERS'))) {
      this.#replyMode = 'extended';
    } else if (this.#settings.structuredReplies && (await this.#grants('STRUCTURED_REPLY'))) {
      this.#replyMode = 'structured';
    }
    return this.#replyMode;
  }

  /** The exports that the server tells of (LIST). */
  list(): Promise<readonly ExportListing[]> {
    return this.#channel.ask(listOption());
  }

  /** What the server says about an export (INFO). */
  async info(exportName: string): Promise<ExportInfo> {
    checkExportName(exportName);
    return this.#channel.ask(infoOption('INFO', exportName));
  }

  /** The metadata contexts that an export has: all, or those that match a query such as `base:` (LIST_META_CONTEXT). */
  async listMetaContexts(exportName: string, queries: readonly string[] = []): Promise<readonly string[]> {
    checkExportName(exportName);
    checkContextQueries(queries);
    return this.#channel.ask(listMetaContextOption(exportName, queries));
  }

  /**
   * Selects metadata contexts, in place of those selected before, even if it fails (SET_META_CONTEXT, N9). They hold for
   * this export only.
   *
   * @returns those that the server has
   */
  async setMetaContexts(exportName: string, queries: readonly string[]): Promise<readonly MetaContext[]> {
    checkExportName(exportName);
    checkContextQueries(queries);
    if (this.#settings.strict && this.#replyMode === 'simple') {
      throw new NbdRequestError(
        'not-negotiated',
        'metadata contexts need structured replies or extended headers, and none were negotiated',
      );
    }
    this.#selection = undefined;
    const contexts = await this.#channel.ask(setMetaContextOption(exportName, queries));
    this.#selection = { exportName, contexts };
    return contexts;
  }

  /** Enters transmission with an export: by GO, or by EXPORT_NAME where a server does not know GO. */
  async go(exportName: string): Promise<NbdConnection> {
    checkExportName(exportName);
    const exportInfo = await this.#enter(exportName);
    const isSelected = this.#selection?.exportName === exportName && this.#replyMode !== 'simple';
    const metaContexts = isSelected ? (this.#selection?.contexts ?? []) : [];
    const facts = { exportInfo, replyMode: this.#replyMode, metaContexts, isSecure: this.#isSecure };
    return enterTransmission(this.#channel.release(), facts, this.#settings);
  }

  /** Leaves politely (ABORT). It does not fail: the server may be gone already (N6). */
  abort(): Promise<void> {
    return this.#channel.abort();
  }

  /** As {@link abort}; does nothing after {@link go}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  async #enter(exportName: string): Promise<ExportInfo> {
    try {
      return await this.#channel.ask(infoOption('GO', exportName));
    } catch (error) {
      if (!(error instanceof NbdOptionError) || error.replyName !== 'ERR_UNSUP') throw error;
    }
    if (this.#replyMode === 'extended') {
      // "the server MUST NOT fail NBD_OPT_GO with NBD_REP_ERR_UNSUP", and EXPORT_NAME is not to be used (N11).
      const error = new NbdProtocolError('go-unsupported');
      this.#channel.close(error);
      throw error;
    }
    const facts = await this.#channel.askExportName(exportName);
    return {
      name: exportName,
      canonicalName: undefined,
      description: undefined,
      sizeBytes: facts.sizeBytes,
      transmissionFlags: facts.transmissionFlags,
      blockSize: undefined,
    };
  }

  /** Asks for something that a client can do without. */
  async #grants(option: 'EXTENDED_HEADERS' | 'STRUCTURED_REPLY'): Promise<boolean> {
    try {
      await this.#channel.ask(plainOption(option));
      return true;
    } catch (error) {
      if (error instanceof NbdOptionError && !HOPELESS.has(error.replyName)) return false;
      throw error;
    }
  }
}
