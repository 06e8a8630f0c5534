import { chmodSync, rmSync } from 'node:fs';
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { supervisorV1, toGrpcFailure, type workerV1 } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import type { Supervisor } from './supervisor.js';

/** Where the supervisor is told what to do: gRPC on a Unix socket of mode 0600. */
export class ControlServer {
  readonly #server = new Server();

  constructor(supervisor: Pick<Supervisor, 'upgradeWorker'>) {
    this.#server.addService(supervisorV1.SupervisorServiceService, {
      upgradeWorker: (_call: unknown, answer: sendUnaryData<workerV1.Worker>) => {
        supervisor.upgradeWorker().then(
          (worker) => {
            answer(null, worker);
          },
          (error: unknown) => {
            const known =
              error instanceof HoldfastError ? error : new HoldfastError('INTERNAL', messageOf(error));
            answer(toGrpcFailure(known));
          },
        );
      },
    });
  }

  /** @param path in a state folder that is locked: a file that is there was left by a supervisor that died */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    chmodSync(path, 0o600);
  }

  /** Takes its socket away; calls under way are cut off. */
  close(): void {
    this.#server.forceShutdown();
  }
}
