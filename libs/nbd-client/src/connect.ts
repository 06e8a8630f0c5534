import type { Duplex } from 'node:stream';
import type { MetaContext } from '@holdfast/nbd-protocol';
import { clientSettings, type ClientOptions } from './client-options.js';
import { NbdOptionError } from './errors/option-error.js';
import { NbdNegotiation } from './handshake/negotiation.js';
import type { NbdConnection } from './nbd-connection.js';
import { tlsFailure } from './socket/tls/credential-file.js';
import { loadTlsSetup, type TlsSetup } from './socket/tls/tls-setup.js';
import { openSocket } from './socket/open-socket.js';
import { parseNbdUri, type NbdUri } from './uri/nbd-uri.js';

export interface ConnectOptions extends ClientOptions {
  /** Metadata contexts to select, such as `base:allocation`; those that the server lacks are left out. Default none. */
  readonly metaContexts?: readonly string[];
}

/**
 * Connects to the server of a URI, does TLS if the URI insists on it, and negotiates how replies look. Its export is not
 * asked for yet: `go` does that.
 *
 * @throws HoldfastError NBD_URI_INVALID, NBD_SERVER_UNREACHABLE, NBD_TLS_FAILED, and those of {@link NbdNegotiation.begin}
 */
export async function negotiate(uri: string | NbdUri, options: ClientOptions = {}): Promise<NbdNegotiation> {
  const { address, tls } = typeof uri === 'string' ? parseNbdUri(uri) : uri;
  const { answerMs } = clientSettings(options);
  const setup = tls && (await loadTlsSetup(tls, address.kind === 'tcp' ? address.host : undefined));
  return negotiateOver(await openSocket(address, answerMs), options, setup);
}

/**
 * As {@link negotiate}, on a stream that is there already and belongs to the result from now on.
 *
 * @param tls insists on TLS; without it there is none
 */
export async function negotiateOver(
  stream: Duplex,
  options: ClientOptions = {},
  tls?: TlsSetup,
): Promise<NbdNegotiation> {
  const negotiation = await NbdNegotiation.begin(stream, options);
  return leavingOnError(negotiation, async () => {
    if (tls !== undefined) await insistOnTls(negotiation, tls);
    await negotiation.negotiateReplies();
    return negotiation;
  });
}

/**
 * Connects to the export of a URI.
 *
 * @throws HoldfastError as {@link negotiate}, and NbdOptionError if the server does not give the export
 */
export async function connect(uri: string | NbdUri, options: ConnectOptions = {}): Promise<NbdConnection> {
  const parsed = typeof uri === 'string' ? parseNbdUri(uri) : uri;
  return enter(await negotiate(parsed, options), parsed.exportName, options);
}

/** As {@link connect}, on a stream that is there already and belongs to the result from now on. */
export async function connectOver(
  stream: Duplex,
  exportName: string,
  options: ConnectOptions = {},
  tls?: TlsSetup,
): Promise<NbdConnection> {
  return enter(await negotiateOver(stream, options, tls), exportName, options);
}

function enter(
  negotiation: NbdNegotiation,
  exportName: string,
  options: ConnectOptions,
): Promise<NbdConnection> {
  return leavingOnError(negotiation, async () => {
    await selectContexts(negotiation, exportName, options.metaContexts ?? []);
    return negotiation.go(exportName);
  });
}

/** "If encryption cannot be negotiated then the connection MUST fail" (`doc/uri.md`, `nbds`). */
async function insistOnTls(negotiation: NbdNegotiation, setup: TlsSetup): Promise<void> {
  try {
    await negotiation.startTls(setup);
  } catch (error) {
    if (!(error instanceof NbdOptionError)) throw error;
    throw tlsFailure(`the server does not do TLS (NBD_REP_${error.replyName})`, error);
  }
}

/** A server that knows no contexts at all has none of those wanted. */
async function selectContexts(
  negotiation: NbdNegotiation,
  exportName: string,
  names: readonly string[],
): Promise<readonly MetaContext[]> {
  if (names.length === 0 || negotiation.replyMode === 'simple') return [];
  try {
    return await negotiation.setMetaContexts(exportName, names);
  } catch (error) {
    if (error instanceof NbdOptionError && error.replyName === 'ERR_UNSUP') return [];
    throw error;
  }
}

/** "Either end MAY simply terminate the session. In the client's case … it MUST use soft disconnect." */
async function leavingOnError<Result>(
  negotiation: NbdNegotiation,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await negotiation.abort();
    throw error;
  }
}
