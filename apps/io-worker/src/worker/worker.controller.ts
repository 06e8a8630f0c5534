import { workerV1 } from '@holdfast/contracts';
import { openFdCount, osThreadCount } from '@holdfast/linux';
import {
  GrpcController,
  HOLDFAST_VERSION,
  PROCESS_IDENTITY,
  type GrpcControllerOf,
  type ProcessIdentity,
} from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { Engines } from '../engine/engines.js';
import { Takeover } from '../handover/takeover.js';
import { WorkerInstance } from './worker-instance.js';

@GrpcController(workerV1.WorkerServiceService)
export class WorkerController implements GrpcControllerOf<workerV1.WorkerServiceService> {
  constructor(
    @Inject(PROCESS_IDENTITY) private readonly identity: ProcessIdentity,
    private readonly engines: Engines,
    private readonly instance: WorkerInstance,
    private readonly takeover: Takeover,
  ) {}

  getWorker(): workerV1.Worker {
    return {
      pid: this.identity.pid,
      version: HOLDFAST_VERSION,
      startTime: this.identity.startTime,
      instance: this.instance.name,
      threads: this.engines.threads.size,
      threadsBusy: this.engines.threads.busy,
      eventLoopSessions: this.engines.eventLoop.sessions,
      openDescriptors: openFdCount(),
      osThreads: osThreadCount(),
      takeover: this.takeover.done,
    };
  }
}
