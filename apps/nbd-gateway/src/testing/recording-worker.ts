import { Server, type ServerWritableStream } from '@grpc/grpc-js';
import { workerV1, type StateLayout } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { createLogger, HandoffInbox, type Arrival } from '@holdfast/service';
import { answering, bind } from './grpc-answers.js';

type Watcher = ServerWritableStream<workerV1.WatchSessionsRequest, workerV1.SessionEvent>;

/** A worker as the gateway sees it: real gRPC and handoff sockets, which take sessions and record what they are asked. */
export class RecordingWorker {
  /** `prepare sessions/…`, `abandon sessions/…`, `stop sessions/…` */
  readonly calls: string[] = [];
  readonly sessions = new Map<string, workerV1.Session>();
  /** Rate limits that were set, in the order in which they came. */
  readonly rateLimits: workerV1.RateLimit[] = [];
  /** Sockets that came, by session. */
  readonly arrivals = new Map<string, Arrival>();
  /** Runs before a session is prepared; what it throws is the answer. */
  beforePrepare: (request: workerV1.PrepareSessionRequest) => unknown = () => undefined;
  /** Runs when it is prepared; what it throws is the answer. */
  afterPrepare: () => unknown = () => undefined;
  /** Runs when the sessions to list are known, and before they are answered. */
  beforeListAnswer: () => unknown = () => undefined;
  readonly #server = new Server();
  readonly #inbox = new HandoffInbox(createLogger('worker', 'silent'));
  readonly #watchers = new Set<Watcher>();

  static async start(layout: StateLayout): Promise<RecordingWorker> {
    const worker = new RecordingWorker();
    worker.#server.addService(workerV1.SessionServiceService, {
      prepareSession: answering((request: workerV1.PrepareSessionRequest) => worker.#prepare(request)),
      abandonSession: answering(({ name }: workerV1.AbandonSessionRequest) => {
        worker.calls.push(`abandon ${name}`);
        worker.end(name);
        return {};
      }),
      stopSession: answering(({ name }: workerV1.StopSessionRequest) => {
        worker.calls.push(`stop ${name}`);
        return {};
      }),
      setRateLimit: answering(({ rateLimit }: workerV1.SetRateLimitRequest) => {
        if (rateLimit !== undefined) worker.rateLimits.push(rateLimit);
        return {};
      }),
      listSessions: answering(async (): Promise<workerV1.ListSessionsResponse> => {
        const sessions = [...worker.sessions.values()];
        await worker.beforeListAnswer();
        return { sessions, nextPageToken: '' };
      }),
      watchSessions: (watcher: Watcher) => {
        worker.#watchers.add(watcher);
        watcher.on('close', () => worker.#watchers.delete(watcher));
        watcher.write({ workerInstance: 'worker-1', ended: undefined, reason: '' });
      },
    });
    await worker.#inbox.listen(layout.workerHandoff);
    await bind(worker.#server, `unix:${layout.workerSocket}`);
    return worker;
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** A session that the worker has, whoever prepared it. */
  put(name: string, exportName: string, change: Partial<workerV1.Session> = {}): void {
    const attachment = 'devices/disk/attachments/1';
    this.sessions.set(
      name,
      workerV1.Session.fromPartial({ name, export: exportName, attachment, ...change }),
    );
  }

  end(name: string): void {
    const ended = this.sessions.get(name);
    if (!this.sessions.delete(name)) return;
    for (const watcher of this.#watchers)
      watcher.write({ workerInstance: 'worker-1', ended, reason: 'ended' });
  }

  breakStream(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  /** No descriptor can come any more. */
  async closeInbox(): Promise<void> {
    await this.#inbox.close();
  }

  async stop(): Promise<void> {
    this.#server.forceShutdown();
    for (const { fd } of this.arrivals.values()) fd[Symbol.dispose]();
    await this.#inbox.close();
  }

  async #prepare(request: workerV1.PrepareSessionRequest): Promise<workerV1.Session> {
    const { session, token } = request;
    if (session === undefined) throw new HoldfastError('INVALID_ARGUMENT', 'session must be given');
    this.calls.push(`prepare ${session.name}`);
    await this.beforePrepare(request);
    this.sessions.set(session.name, session);
    this.#inbox.expect(token, (arrival) => {
      this.arrivals.set(session.name, arrival);
    });
    await this.afterPrepare();
    return session;
  }
}
