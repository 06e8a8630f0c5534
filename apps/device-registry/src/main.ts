import { registryV1, stateLayout } from '@holdfast/contracts';
import { startService } from '@holdfast/service';
import { RegistryLifecycle } from './registry-lifecycle.js';
import { RegistryModule } from './registry.module.js';
import { registrySettings } from './settings.js';

await startService({
  name: 'device-registry',
  settings: registrySettings,
  protoPackage: 'holdfast.registry.v1',
  definitions: {
    DeviceService: registryV1.DeviceServiceService,
    LeaseService: registryV1.LeaseServiceService,
    RegistryService: registryV1.RegistryServiceService,
    ReservationService: registryV1.ReservationServiceService,
  },
  socketPath: (settings) => stateLayout(settings.stateFolder).registrySocket,
  lifecycle: RegistryLifecycle,
  module: () => ({ module: RegistryModule }),
});
