import { stateLayout, workerV1 } from '@holdfast/contracts';
import { mapLargeAllocations } from '@holdfast/linux';
import { startService } from '@holdfast/service';
import { workerSettings } from './settings.js';
import { WorkerLifecycle } from './worker-lifecycle.js';
import { WorkerModule } from './worker.module.js';

mapLargeAllocations();
await startService({
  name: 'io-worker',
  settings: workerSettings,
  protoPackage: 'holdfast.worker.v1',
  definitions: {
    ChunkService: workerV1.ChunkServiceService,
    HandoverService: workerV1.HandoverServiceService,
    HoldingService: workerV1.HoldingServiceService,
    LedgerService: workerV1.LedgerServiceService,
    SessionService: workerV1.SessionServiceService,
    WorkerService: workerV1.WorkerServiceService,
  },
  socketPath: ({ stateFolder, takeover }) => {
    const { workerSocket, workerNextSocket } = stateLayout(stateFolder);
    return takeover ? workerNextSocket : workerSocket;
  },
  lifecycle: WorkerLifecycle,
  drainMs: ({ drainMs }) => drainMs,
  module: () => ({ module: WorkerModule }),
});
