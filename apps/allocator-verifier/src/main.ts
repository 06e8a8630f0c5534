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
    ProgramService: verifierV1.ProgramServiceService,
    TableService: verifierV1.TableServiceService,
    VerifierService: verifierV1.VerifierServiceService,
  },
  socketPath: (settings) => stateLayout(settings.stateFolder).verifierSocket,
  lifecycle: VerifierLifecycle,
  module: () => ({ module: VerifierModule }),
});
