import { randomUUID } from 'node:crypto';
import {
  Server,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { toGrpcFailure, workerV1, type StateLayout } from '@holdfast/contracts';
import { listenAt } from '@holdfast/contracts/testing/grpc-server';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { sendHandoff, type OwnedFd } from '@holdfast/linux';
import { createLogger, HandoffInbox } from '@holdfast/service';

type Call = 'adopt' | 'release' | 'return' | 'reconcile' | 'end';
type Watcher = ServerWritableStream<workerV1.WatchSessionsRequest, workerV1.SessionEvent>;

/**
 * A worker as the registry sees it: a real gRPC server and a real handoff socket, which hold what they are given,
 * record what they are asked, and fail where they are told to.
 */
export class RecordingWorker {
  readonly instance = `worker-${randomUUID()}`;
  /** `adopt devices/a/attachments/1`, `release …`, `return …`, `reconcile 7`, in the order of their coming. */
  readonly calls: string[] = [];
  readonly holdings = new Map<string, { readonly message: workerV1.Holding; readonly fd?: OwnedFd }>();
  /** Of each remote export that it was given: whether it had been attached before. */
  readonly resumed: boolean[] = [];
  liveLeases: bigint[] = [];
  /** What it tells of its sessions. */
  sessions: workerV1.Session[] = [];
  /** What it tells of its pins, of whatever device. */
  pins: workerV1.Pin[] = [];
  /** Runs before a call takes effect; what it throws is the answer. */
  before: Partial<Record<Call, (subject: string) => unknown>> = {};
  /** Runs when a call has taken effect; what it throws is the answer: the outcome is lost on the way. */
  after: Partial<Record<Call, (subject: string) => unknown>> = {};
  readonly #server = new Server();
  readonly #inbox = new HandoffInbox(createLogger('worker', 'silent'));
  readonly #layout: StateLayout;
  readonly #watchers = new Set<Watcher>();

  private constructor(layout: StateLayout) {
    this.#layout = layout;
  }

  static async start(layout: StateLayout): Promise<RecordingWorker> {
    const worker = new RecordingWorker(layout);
    await worker.#listen();
    return worker;
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Has a session under a lease from now on. */
  beginSession(lease: bigint, session: string): void {
    this.liveLeases.push(lease);
    const clientAddress = '192.0.2.1:1234';
    const counters = { requests: 5n, lastRequestTime: new Date(1000) };
    this.sessions.push(
      workerV1.Session.fromPartial({ name: `sessions/${session}`, lease, clientAddress, counters }),
    );
  }

  /** Tells the registry that the session under a lease has ended. */
  endSession(lease: bigint): void {
    this.liveLeases = this.liveLeases.filter((live) => live !== lease);
    const ended = workerV1.Session.fromPartial({ lease });
    for (const watcher of this.#watchers)
      watcher.write({ workerInstance: this.instance, ended, reason: 'disconnect' });
  }

  /** Breaks the stream alone; the process goes on. */
  breakStream(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  /** As the kernel ends a process: connections break, and every descriptor is closed. */
  async die(): Promise<void> {
    this.#server.forceShutdown();
    await this.#inbox.close();
    for (const { fd } of this.holdings.values()) fd?.close();
    this.holdings.clear();
  }

  async #listen(): Promise<void> {
    this.#server.addService(workerV1.HoldingServiceService, {
      adoptDevice: this.#unary(
        'adopt',
        ({ holding }: workerV1.AdoptDeviceRequest) => holding?.attachment,
        (r) => this.#adopt(r),
      ),
      releaseDevice: this.#unary('release', nameOf, (request) => this.#release(request)),
      returnDevice: this.#unary('return', nameOf, (request: workerV1.ReturnDeviceRequest) =>
        this.#return(request),
      ),
      reconcile: this.#unary(
        'reconcile',
        (request: workerV1.ReconcileRequest) => request.voidLeasesUpTo.toString(),
        (): workerV1.ReconcileResponse => ({
          workerInstance: this.instance,
          holdings: [...this.holdings.values()].map(({ message }) => message),
          liveLeases: this.liveLeases,
        }),
      ),
    });
    this.#server.addService(workerV1.SessionServiceService, {
      prepareSession: notSimulated,
      abandonSession: notSimulated,
      listSessions: (_call: unknown, answer: sendUnaryData<workerV1.ListSessionsResponse>) => {
        answer(null, { sessions: this.sessions, nextPageToken: '' });
      },
      endSession: this.#unary(
        'end',
        ({ name }: workerV1.EndSessionRequest) => name,
        ({ name }) => {
          const lease = this.sessions.find((session) => session.name === name)?.lease;
          this.sessions = this.sessions.filter((session) => session.name !== name);
          if (lease !== undefined) this.endSession(lease);
          return {};
        },
      ),
      watchSessions: (watcher: Watcher) => {
        this.#watchers.add(watcher);
        watcher.on('close', () => this.#watchers.delete(watcher));
        watcher.write({ workerInstance: this.instance, ended: undefined, reason: '' });
      },
    });
    this.#server.addService(workerV1.LedgerServiceService, {
      getLedger: notSimulated,
      listPins: (
        { request }: ServerUnaryCall<workerV1.ListPinsRequest, workerV1.ListPinsResponse>,
        answer: sendUnaryData<workerV1.ListPinsResponse>,
      ) => {
        const pins = this.pins.filter(({ attachment }) => attachment.startsWith(`${request.device}/`));
        answer(null, { pins, nextPageToken: '' });
      },
      watchLedger: (watcher: ServerWritableStream<workerV1.WatchLedgerRequest, workerV1.Ledger>) => {
        watcher.end();
      },
      quiesce: notSimulated,
    });
    this.#server.addService(workerV1.WorkerServiceService, {
      getWorker: (_call: unknown, answer: sendUnaryData<workerV1.Worker>) => {
        answer(null, workerV1.Worker.fromPartial({ pid: process.pid, instance: this.instance }));
      },
    });
    await this.#inbox.listen(this.#layout.workerHandoff);
    await listenAt(`unix:${this.#layout.workerSocket}`, this.#server);
  }

  #unary<Request, Response>(
    name: Call,
    subjectOf: (request: Request) => string | undefined,
    act: (request: Request) => Promise<Response> | Response,
  ) {
    const run = async (request: Request): Promise<Response> => {
      const subject = subjectOf(request) ?? '';
      this.calls.push(`${name} ${subject}`);
      await this.before[name]?.(subject);
      const response = await act(request);
      await this.after[name]?.(subject);
      return response;
    };
    return ({ request }: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
      run(request).then(
        (response) => {
          answer(null, response);
        },
        (error: unknown) => {
          const known =
            error instanceof HoldfastError ? error : new HoldfastError('INTERNAL', messageOf(error));
          answer(toGrpcFailure(known));
        },
      );
    };
  }

  async #adopt({ token, holding, resumed }: workerV1.AdoptDeviceRequest): Promise<workerV1.Holding> {
    const message = holding ?? workerV1.Holding.fromPartial({});
    if (message.device?.$case === 'remote') {
      this.holdings.set(message.attachment, { message });
      this.resumed.push(resumed);
      return message;
    }
    const { fd } = await this.#inbox.claim(token, 1_000);
    if (this.holdings.has(message.attachment)) fd.close();
    else this.holdings.set(message.attachment, { message, fd });
    return message;
  }

  #release({ attachment }: workerV1.ReleaseDeviceRequest): Record<string, never> {
    this.holdings.get(attachment)?.fd?.close();
    this.holdings.delete(attachment);
    return {};
  }

  async #return({ attachment, token }: workerV1.ReturnDeviceRequest): Promise<workerV1.Holding> {
    const holding = this.holdings.get(attachment);
    if (holding?.fd === undefined) throw new HoldfastError('DEVICE_NOT_ATTACHED', 'not held');
    await sendHandoff(this.#layout.registryHandoff, token, new Uint8Array(), holding.fd.number);
    return holding.message;
  }
}

function nameOf({ attachment }: { attachment: string }): string {
  return attachment;
}

/** The gateway's part of the contract, of which the registry uses nothing. */
function notSimulated(_call: unknown, answer: sendUnaryData<never>): void {
  answer({ code: status.UNIMPLEMENTED });
}
