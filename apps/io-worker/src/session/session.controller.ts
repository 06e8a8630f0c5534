import { durationMs, formatPageToken, parsePage, sessionName, workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { GrpcController, reached, type GrpcControllerOf } from '@holdfast/service';
import { from, map, merge, type Observable } from 'rxjs';
import { parseChunkSource } from '../chunks/chunk-source.js';
import { Gate } from '../handover/gate.js';
import type { Holding } from '../holding/holding.js';
import { HoldingService } from '../holding/holding.service.js';
import { parseRateShare } from '../rate/rate-message.js';
import { WorkerInstance } from '../worker/worker-instance.js';
import { parseFacts } from './session-facts.js';
import { toSessionMessage } from './session-message.js';
import { SessionService } from './session.service.js';
import type { Session } from './session.js';
import { checkToken } from './token.js';

/** A client that is cut off does not get longer to be told so. */
const END_GRACE_MS_MAX = 60_000;

@GrpcController(workerV1.SessionServiceService)
export class SessionController implements GrpcControllerOf<workerV1.SessionServiceService> {
  constructor(
    private readonly sessions: SessionService,
    private readonly holdings: HoldingService,
    private readonly instance: WorkerInstance,
    private readonly gate: Gate,
  ) {}

  prepareSession(request: workerV1.PrepareSessionRequest): Promise<workerV1.Session> {
    return this.gate.pass(() => this.#prepare(request));
  }

  /** Passes by the gate: a handover waits for sessions that are prepared, and finds none afterwards. */
  abandonSession(request: workerV1.AbandonSessionRequest): Record<string, never> {
    this.sessions.abandon(request.name);
    return {};
  }

  stopSession(request: workerV1.StopSessionRequest): Promise<Record<string, never>> {
    return this.gate.pass(() => {
      this.sessions.requestStop(request.name);
      return {};
    });
  }

  endSession({ name, grace }: workerV1.EndSessionRequest): Promise<Record<string, never>> {
    return this.gate.pass(async () => {
      await this.sessions.end(name, durationMs('grace', grace, END_GRACE_MS_MAX));
      await reached('detach.cut');
      return {};
    });
  }

  setRateLimit({ rateLimit }: workerV1.SetRateLimitRequest): Promise<Record<string, never>> {
    return this.gate.pass(() => {
      this.sessions.rates.set(parseRateShare(rateLimit ?? workerV1.RateLimit.fromPartial({}), 'rate_limit'));
      return {};
    });
  }

  listSessions(request: workerV1.ListSessionsRequest): workerV1.ListSessionsResponse {
    const { pageSize, after } = parsePage(request);
    const following = this.sessions
      .list()
      .filter((session) => after === undefined || session.definition.name > after)
      .sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
    const page = following.slice(0, pageSize);
    const last = following.length > page.length ? page.at(-1)?.definition.name : undefined;
    return { sessions: page.map((session) => this.#message(session)), nextPageToken: formatPageToken(last) };
  }

  watchSessions(): Observable<workerV1.SessionEvent> {
    const { instance } = this;
    const greeting = from(this.sessions.opened).pipe(
      map(() => ({ workerInstance: instance.name, ended: undefined, reason: '' })),
    );
    const endings = this.sessions.endings.pipe(
      map(({ session, reason }) => ({
        workerInstance: instance.name,
        ended: this.#message(session),
        reason,
      })),
    );
    return merge(greeting, endings);
  }

  async #prepare(request: workerV1.PrepareSessionRequest): Promise<workerV1.Session> {
    const session = request.session ?? workerV1.Session.fromPartial({});
    sessionName.parse(session.name, 'session.name');
    if (request.workerInstance !== this.instance.name) {
      throw new HoldfastError('LEASE_REFUSED', 'the lease is valid at another worker process', {
        lease: String(session.lease),
      });
    }
    const holding = this.#holdingOf(session);
    const prepared = await this.sessions.prepare(
      {
        name: session.name,
        exportName: session.export,
        holding,
        lease: session.lease,
        readOnly: session.readOnly || holding.readOnly,
        clientAddress: session.clientAddress,
        tls: session.tls,
        startTime: session.startTime ?? new Date(),
        facts: parseFacts(session, holding),
        chunks: session.chunks && parseChunkSource(session.chunks, holding.sizeBytes),
        rate: session.rateLimit && parseRateShare(session.rateLimit, 'session.rate_limit'),
      },
      checkToken(request.token),
    );
    await reached('lease.prepared');
    return this.#message(prepared);
  }

  #message(session: Session): workerV1.Session {
    return toSessionMessage(session, this.sessions.rateOf(session));
  }

  /** Law 4: work of an older epoch is refused. */
  #holdingOf(session: workerV1.Session): Holding {
    const holding = this.holdings.find(session.attachment);
    if (holding?.epoch !== session.epoch) {
      const held = holding === undefined ? 'not held here' : `held under epoch ${String(holding.epoch)}`;
      throw new HoldfastError(
        'LEASE_REFUSED',
        `lease ${String(session.lease)} of epoch ${String(session.epoch)}: ${session.attachment} is ${held}`,
        { lease: String(session.lease), attachment: session.attachment },
      );
    }
    return holding;
  }
}
