import { gatewayV1, stateLayout } from '@holdfast/contracts';
import { startService } from '@holdfast/service';
import { GatewayLifecycle } from './gateway-lifecycle.js';
import { GatewayModule } from './gateway.module.js';
import { gatewaySettings } from './settings.js';

await startService({
  name: 'nbd-gateway',
  settings: gatewaySettings,
  protoPackage: 'holdfast.gateway.v1',
  definitions: {
    ExportService: gatewayV1.ExportServiceService,
    GatewayService: gatewayV1.GatewayServiceService,
    SessionService: gatewayV1.SessionServiceService,
  },
  socketPath: (settings) => stateLayout(settings.stateFolder).gatewaySocket,
  lifecycle: GatewayLifecycle,
  module: () => ({ module: GatewayModule }),
});
