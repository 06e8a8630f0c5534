import { createRequire } from 'node:module';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { createClient, killDeadlineMs, workerV1, type StateLayout } from '@holdfast/contracts';
import { assert } from '@holdfast/foundation';
import { createStream } from 'rotating-file-stream';
import type { Endpoints, ServiceName } from '../client/endpoints.js';
import { drainMsOf } from './drain.js';
import { poolThreadsOf } from './pool-threads.js';
import { ServiceProcess } from './service-process.js';

const READY_MS = 30_000;

/** A new worker may take as long to start as any service, and then twice ten seconds until it has taken over. */
const UPGRADE_MS = READY_MS + 25_000;

/** The old worker, or the new one, answers at once. */
const ANSWER_MS = 1_000;

/** Each service's log: this much, and two older files. */
const LOG_SIZE = '10M';
const LOG_FILES = 3;

/** Clients first, devices last: nothing is let go of while something above still uses it. */
const stopOrder: readonly ServiceName[] = [
  'nbd-gateway',
  'allocator-verifier',
  'io-worker',
  'device-registry',
];

/** The services of one instance as child processes of this one. */
export class Supervisor {
  readonly #services: ReadonlyMap<ServiceName, ServiceProcess>;
  readonly #workerAddress: string;

  constructor(
    layout: StateLayout,
    endpoints: Endpoints,
    environment: NodeJS.ProcessEnv,
    say: (sentence: string) => void,
  ) {
    this.#workerAddress = endpoints['io-worker'];
    this.#services = new Map(
      stopOrder.map((name) => [
        name,
        new ServiceProcess(
          {
            name,
            main: mainModule(name),
            address: endpoints[name],
            environment: {
              UV_THREADPOOL_SIZE: poolThreadsOf(name, { ...process.env, ...environment }),
              ...environment,
              HOLDFAST_STATE: layout.folder,
            },
            killAfterMs: killDeadlineMs(drainMsOf(name, { ...process.env, ...environment })),
            log: openLog(name, layout.logs, say),
          },
          say,
        ),
      ]),
    );
  }

  /** Starts all services and waits until they are ready. @throws HoldfastError with what the one that failed said */
  async start(): Promise<void> {
    for (const service of this.#services.values()) service.start();
    await Promise.all([...this.#services.values()].map((service) => service.ready(READY_MS)));
  }

  /**
   * Replaces the worker by a new process, which takes over its devices and its clients.
   *
   * @returns the new one
   * @throws HoldfastError UPGRADE_FAILED
   */
  async upgradeWorker(): Promise<workerV1.Worker> {
    const service = this.#services.get('io-worker');
    assert(service !== undefined, 'there is a worker');
    const worker = createClient(workerV1.WorkerServiceService, this.#workerAddress);
    try {
      await service.replace({
        environment: { HOLDFAST_WORKER_TAKEOVER: '1' },
        hasTakenOver: async (pid) => (await worker.getWorker({}, { deadlineMs: ANSWER_MS })).pid === pid,
        deadlineMs: UPGRADE_MS,
      });
      return await worker.getWorker({});
    } finally {
      worker.close();
    }
  }

  async stop(): Promise<void> {
    // A signal to the whole process group ends them in any order: none of that is a death to mend.
    for (const service of this.#services.values()) service.expectEnd();
    for (const service of this.#services.values()) await service.stop();
  }
}

/** A log that cannot be written, on a full disk for one, is no reason to stop serving. */
function openLog(name: ServiceName, folder: string, say: (sentence: string) => void): Writable {
  const log = createStream(`${name}.log`, { path: folder, size: LOG_SIZE, maxFiles: LOG_FILES, mode: 0o600 });
  log.on('error', (error) => {
    say(`the log of ${name} is not written any more: ${error.message}`);
  });
  return log;
}

/** Apps meet through processes, not imports: a service is found by its package, like any program. */
function mainModule(name: ServiceName): string {
  const manifest = createRequire(import.meta.url).resolve(`@holdfast/${name}/package.json`);
  return path.join(path.dirname(manifest), 'dist/bundle/main.js');
}
