import type { Socket } from 'node:net';
import { HoldfastError, messageOf, unreachable, type ErrorCode } from '@holdfast/foundation';
import { ServerHandshake, type HandshakeEnd } from '@holdfast/nbd-protocol';
import type { ExportService } from '../export/export.service.js';
import type { OpenedSession, SessionOpener, SessionRequest } from '../session/session-opener.js';
import { patiently, type Patience } from './patience.js';

/** How a negotiation ended. */
export type NegotiationEnd =
  | { readonly kind: 'transmission'; readonly opened: OpenedSession; readonly remainder: Uint8Array }
  | { readonly kind: 'closed'; readonly reason: HandshakeEnd | 'end-of-stream' };

const STOPPING = 'the server is stopping';

type Refusal = Parameters<ServerHandshake['refuse']>[0];

/** What the negotiation needs of the gateway. */
export interface NegotiationParts {
  readonly exports: ExportService;
  readonly opener: SessionOpener;
  /** N12: while stopping, clients are told so. */
  readonly stopping: () => boolean;
  /** How long this client waits for a registry or a worker that is being restarted. */
  readonly patience: Patience;
  /** Something failed that is not the client's doing. */
  readonly onFailure: (error: unknown) => void;
}

/** Runs the handshake of one client to its end: pulls requests from the state machine and answers them. */
export async function negotiate(
  socket: Socket,
  client: Omit<SessionRequest, 'exportName'>,
  parts: NegotiationParts,
): Promise<NegotiationEnd> {
  const handshake = new ServerHandshake();
  const chunks = socket.iterator({ destroyOnReturn: false });
  await send(socket, handshake.greeting());
  for (;;) {
    const request = handshake.next();
    switch (request.kind) {
      case 'need-input': {
        const chunk = await chunks.next();
        if (chunk.done === true) return { kind: 'closed', reason: 'end-of-stream' };
        handshake.push(chunk.value as Buffer);
        break;
      }
      case 'reply':
        await send(socket, request.bytes);
        break;
      case 'list': {
        const answer = await attempt(parts, handshake, async () =>
          handshake.answerList(await parts.exports.listings()),
        );
        await send(socket, answer.bytes);
        break;
      }
      case 'info': {
        const answer = await attempt(parts, handshake, async () =>
          handshake.answerInfo(await parts.exports.describe(request.exportName)),
        );
        await send(socket, answer.bytes);
        break;
      }
      case 'go': {
        let opened: OpenedSession | undefined;
        const answer = await attempt(parts, handshake, async () => {
          opened = await parts.opener.open({ ...client, exportName: request.exportName });
          return handshake.answerGo(opened.description);
        });
        if (answer.close) return { kind: 'closed', reason: 'export-name-refused' };
        await deliver(socket, answer.bytes, opened, client.name, parts);
        if (opened !== undefined)
          return { kind: 'transmission', opened, remainder: handshake.takeRemainder() };
        break;
      }
      case 'close':
        // The peer may already be gone (N6).
        if (request.bytes !== undefined) await send(socket, request.bytes).catch(() => undefined);
        return { kind: 'closed', reason: request.reason };
      default:
        unreachable(request);
    }
  }
}

/** An answer that does not reach the client leaves no session behind. */
async function deliver(
  socket: Socket,
  bytes: Uint8Array,
  opened: OpenedSession | undefined,
  session: string,
  parts: NegotiationParts,
): Promise<void> {
  try {
    await send(socket, bytes);
  } catch (error) {
    if (opened !== undefined) await parts.opener.abandon(session);
    throw error;
  }
}

/** The answer, or the refusal that the protocol has for what went wrong. */
async function attempt(
  parts: NegotiationParts,
  handshake: ServerHandshake,
  answer: () => Promise<Uint8Array>,
): Promise<{ bytes: Uint8Array; close: boolean }> {
  if (parts.stopping()) return handshake.refuse('shutdown', STOPPING);
  try {
    return { bytes: await patiently(parts.patience, answer), close: false };
  } catch (error) {
    if (parts.stopping()) return handshake.refuse('shutdown', STOPPING);
    const refusal = refusalOf(error);
    if (refusal !== 'platform') return handshake.refuse(refusal, messageOf(error));
    parts.onFailure(error);
    // Law 8: where our sockets stand and what failed behind them is not for whoever may connect.
    return handshake.refuse(refusal, 'the server cannot serve this now; its log says why');
  }
}

/** What the client is told; everything else is our failure. */
const refusals: Partial<Record<ErrorCode, Refusal>> = {
  EXPORT_NOT_FOUND: 'unknown',
  DEVICE_NOT_FOUND: 'unknown',
  DEVICE_NOT_ATTACHED: 'unknown',
  LIMIT_REACHED: 'policy',
  SHUTTING_DOWN: 'shutdown',
};

function refusalOf(error: unknown): Refusal {
  return (error instanceof HoldfastError ? refusals[error.code] : undefined) ?? 'platform';
}

function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
