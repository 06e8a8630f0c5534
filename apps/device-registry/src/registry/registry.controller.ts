import { registryV1 } from '@holdfast/contracts';
import { openFdCount } from '@holdfast/linux';
import {
  GrpcController,
  HOLDFAST_VERSION,
  PROCESS_IDENTITY,
  type GrpcControllerOf,
  type ProcessIdentity,
} from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { Holds } from '../attachment/holds.js';
import { STORE, type StoreToken } from '../store.provider.js';
import { WorkerLink } from '../worker/worker-link.js';

@GrpcController(registryV1.RegistryServiceService)
export class RegistryController implements GrpcControllerOf<registryV1.RegistryServiceService> {
  constructor(
    @Inject(PROCESS_IDENTITY) private readonly identity: ProcessIdentity,
    @Inject(STORE) private readonly store: StoreToken,
    private readonly worker: WorkerLink,
    private readonly holds: Holds,
  ) {}

  getRegistry(): registryV1.Registry {
    const { state } = this.worker;
    return {
      pid: this.identity.pid,
      version: HOLDFAST_VERSION,
      startTime: this.identity.startTime,
      database: this.store.kind,
      workerInstance: state.kind === 'down' ? '' : state.instance,
      heldDevices: this.holds.size,
      openDescriptors: openFdCount(),
    };
  }
}
