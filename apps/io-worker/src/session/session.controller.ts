import { durationMs, formatPageToken, parsePage, sessionName, workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import {
  GrpcController,
  PROCESS_IDENTITY,
  reached,
  type GrpcControllerOf,
  type ProcessIdentity,
} from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { from, map, merge, type Observable } from 'rxjs';
import type { Holding } from '../holding/holding.js';
import { HoldingService } from '../holding/holding.service.js';
import { parseRateShare } from '../rate/rate-message.js';
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
    @Inject(PROCESS_IDENTITY) private readonly identity: ProcessIdentity,
  ) {}

  async prepareSession(request: workerV1.PrepareSessionRequest): Promise<workerV1.Session> {
    const session = request.session ?? workerV1.Session.fromPartial({});
    sessionName.parse(session.name, 'session.name');
    if (request.workerInstance !== this.identity.instance) {
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
        rate: session.rateLimit && parseRateShare(session.rateLimit, 'session.rate_limit'),
      },
      checkToken(request.token),
    );
    await reached('lease.prepared');
    return this.#message(prepared);
  }

  abandonSession(request: workerV1.AbandonSessionRequest): Record<string, never> {
    this.sessions.abandon(request.name);
    return {};
  }

  stopSession(request: workerV1.StopSessionRequest): Record<string, never> {
    this.sessions.requestStop(request.name);
    return {};
  }

  async endSession({ name, grace }: workerV1.EndSessionRequest): Promise<Record<string, never>> {
    await this.sessions.end(name, durationMs('grace', grace, END_GRACE_MS_MAX));
    await reached('detach.cut');
    return {};
  }

  setRateLimit({ rateLimit }: workerV1.SetRateLimitRequest): Record<string, never> {
    this.sessions.rates.set(parseRateShare(rateLimit ?? workerV1.RateLimit.fromPartial({}), 'rate_limit'));
    return {};
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
    const workerInstance = this.identity.instance;
    const greeting = from(this.sessions.opened).pipe(
      map(() => ({ workerInstance, ended: undefined, reason: '' })),
    );
    const endings = this.sessions.endings.pipe(
      map(({ session, reason }) => ({ workerInstance, ended: this.#message(session), reason })),
    );
    return merge(greeting, endings);
  }

  #message(session: Session): workerV1.Session {
    const { rate } = session.definition;
    return toSessionMessage(session, rate && this.sessions.rates.shareOf(rate.account));
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
