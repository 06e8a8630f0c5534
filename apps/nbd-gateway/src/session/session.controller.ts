import {
  attachmentName,
  deviceName,
  formatPageToken,
  gatewayV1,
  leaseName,
  parsePage,
  workerV1,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { ConnectionService, type Negotiating } from '../connection/connection.service.js';
import { SessionCensus } from './session-census.js';

const { Session_State: State } = gatewayV1;

@GrpcController(gatewayV1.SessionServiceService)
export class SessionController implements GrpcControllerOf<gatewayV1.SessionServiceService> {
  constructor(
    private readonly connections: ConnectionService,
    private readonly census: SessionCensus,
  ) {}

  async getSession(request: gatewayV1.GetSessionRequest): Promise<gatewayV1.Session> {
    const session = (await this.#all()).find(({ name }) => name === request.name);
    if (session === undefined) {
      throw new HoldfastError('SESSION_NOT_FOUND', `there is no ${request.name}`, { session: request.name });
    }
    return session;
  }

  async listSessions(request: gatewayV1.ListSessionsRequest): Promise<gatewayV1.ListSessionsResponse> {
    const { pageSize, after } = parsePage(request);
    const following = (await this.#all()).filter(({ name }) => after === undefined || name > after);
    const page = following.slice(0, pageSize);
    const last = following.length > page.length ? page.at(-1)?.name : undefined;
    return { sessions: page, nextPageToken: formatPageToken(last) };
  }

  /** A client that is just being passed on is at both; the worker knows more. */
  async #all(): Promise<gatewayV1.Session[]> {
    const negotiating = this.connections.negotiating().map(fromNegotiating);
    const serving = (await this.census.list()).map(fromWorker);
    const all = new Map([...negotiating, ...serving].map((session) => [session.name, session]));
    return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function fromNegotiating({ name, address, startTime }: Negotiating): gatewayV1.Session {
  const state = State.STATE_NEGOTIATING;
  return gatewayV1.Session.fromPartial({ name, state, clientAddress: address, startTime });
}

function fromWorker(session: workerV1.Session): gatewayV1.Session {
  const { counters } = session;
  return {
    name: session.name,
    state: State.STATE_SERVING,
    clientAddress: session.clientAddress,
    export: session.export,
    device: deviceName.format(attachmentName.parse(session.attachment).device),
    lease: leaseName.format(session.lease),
    readOnly: session.readOnly,
    engine: session.engine,
    requests: counters?.requests ?? 0n,
    bytesRead: counters?.bytesRead ?? 0n,
    bytesWritten: counters?.bytesWritten ?? 0n,
    errors: counters?.errors ?? 0n,
    startTime: session.startTime,
    replyMode: replyModes[session.replyMode],
    metaContexts: session.metaContexts,
    tls: session.tls,
    blockSizeMinimum: session.blockSizeMinimum,
    payloadMaximum: session.payloadMaximum,
  };
}

/** Sessions of a worker without a word for it have simple replies. */
const replyModes = {
  [workerV1.ReplyMode.REPLY_MODE_UNSPECIFIED]: gatewayV1.ReplyMode.REPLY_MODE_SIMPLE,
  [workerV1.ReplyMode.REPLY_MODE_SIMPLE]: gatewayV1.ReplyMode.REPLY_MODE_SIMPLE,
  [workerV1.ReplyMode.REPLY_MODE_STRUCTURED]: gatewayV1.ReplyMode.REPLY_MODE_STRUCTURED,
  [workerV1.ReplyMode.REPLY_MODE_EXTENDED]: gatewayV1.ReplyMode.REPLY_MODE_EXTENDED,
  [workerV1.ReplyMode.UNRECOGNIZED]: gatewayV1.ReplyMode.UNRECOGNIZED,
} as const satisfies Record<workerV1.ReplyMode, gatewayV1.ReplyMode>;
