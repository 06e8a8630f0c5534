import { verifierV1 } from '@holdfast/contracts';
import {
  GrpcController,
  HOLDFAST_VERSION,
  PROCESS_IDENTITY,
  type GrpcControllerOf,
  type ProcessIdentity,
} from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { ChunkPools } from '../chunk/chunk-pools.js';
import { STORE, type StoreToken } from '../store.provider.js';

@GrpcController(verifierV1.VerifierServiceService)
export class VerifierController implements GrpcControllerOf<verifierV1.VerifierServiceService> {
  constructor(
    @Inject(PROCESS_IDENTITY) private readonly identity: ProcessIdentity,
    @Inject(STORE) private readonly store: StoreToken,
    private readonly pools: ChunkPools,
  ) {}

  getVerifier(): verifierV1.Verifier {
    return {
      pid: this.identity.pid,
      version: HOLDFAST_VERSION,
      startTime: this.identity.startTime,
      database: this.store.kind,
      allocators: this.pools.size,
    };
  }
}
