import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { toGrpcFailure, workerV1 } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';

/** A worker as the allocator-verifier sees it: a real gRPC server that records what it is told, in order. */
export class RecordingWorker {
  /** `hold 1 @2`, `publish 1/chunk @2 [0,3]` */
  readonly calls: string[] = [];
  /** What its sessions are served. */
  readonly sources: workerV1.ChunkSource[] = [];
  /** Runs before a call is answered; what it throws is the answer. */
  before: (call: string) => unknown = () => undefined;
  readonly #server = new Server();

  /** @param address gRPC target, `unix:…` */
  static async start(address: string): Promise<RecordingWorker> {
    const worker = new RecordingWorker();
    worker.#server.addService(workerV1.ChunkServiceService, {
      holdChunks: answering(({ map, epoch }: workerV1.HoldChunksRequest) =>
        worker.#take(`hold ${String(map)} @${String(epoch)}`),
      ),
      publishChunks: answering(({ map, field, epoch, chunks }: workerV1.PublishChunksRequest) =>
        worker.#take(`publish ${String(map)}/${field} @${String(epoch)} [${chunks.join()}]`),
      ),
    });
    worker.#server.addService(workerV1.SessionServiceService, {
      listSessions: answering((): workerV1.ListSessionsResponse => {
        const sessions = worker.sources.map((chunks) => workerV1.Session.fromPartial({ chunks }));
        return { sessions, nextPageToken: '' };
      }),
    });
    await new Promise<void>((resolve, reject) => {
      worker.#server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    return worker;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  async #take(call: string): Promise<Record<string, never>> {
    await this.before(call);
    this.calls.push(call);
    return {};
  }
}

function answering<Request, Response>(act: (request: Request) => Promise<Response> | Response) {
  return ({ request }: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>): void => {
    Promise.resolve(request)
      .then(act)
      .then(
        (response) => {
          answer(null, response);
        },
        (error: unknown) => {
          const ours =
            error instanceof HoldfastError ? error : new HoldfastError('INTERNAL', messageOf(error));
          answer(toGrpcFailure(ours));
        },
      );
  };
}
