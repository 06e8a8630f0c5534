import { stateLayout, verifierV1 } from '@holdfast/contracts';
import { startService } from '@holdfast/service';
import { verifierSettings } from './settings.js';
import { VerifierLifecycle } from './verifier-lifecycle.js';
import { VerifierModule } from './verifier.module.js';

await startService({
  name: 'allocator-verifier',
  settings: verifierSettings,
  protoPackage: 'holdfast.verifier.v1',
  definitions: {
    AllocatorService: verifierV1.AllocatorServiceService,
    ChunkService: verifierV1.ChunkServiceService,
    MapService: verifierV1.MapServiceService,
    VerifierService: verifierV1.VerifierServiceService,
  },
  socketPath: (settings) => stateLayout(settings.stateFolder).verifierSocket,
  lifecycle: VerifierLifecycle,
  module: () => ({ module: VerifierModule }),
});
