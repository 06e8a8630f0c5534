import { gatewayV1 } from '@holdfast/contracts';
import { openFdCount } from '@holdfast/linux';
import {
  GrpcController,
  HOLDFAST_VERSION,
  PROCESS_IDENTITY,
  type GrpcControllerOf,
  type ProcessIdentity,
} from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { ConnectionService } from '../connection/connection.service.js';
import { Endpoints } from '../export/endpoints.js';
import { LimitsHit } from './limits-hit.js';

@GrpcController(gatewayV1.GatewayServiceService)
export class GatewayController implements GrpcControllerOf<gatewayV1.GatewayServiceService> {
  constructor(
    @Inject(PROCESS_IDENTITY) private readonly identity: ProcessIdentity,
    private readonly endpoints: Endpoints,
    private readonly connections: ConnectionService,
    private readonly limitsHit: LimitsHit,
  ) {}

  getGateway(): gatewayV1.Gateway {
    return {
      pid: this.identity.pid,
      version: HOLDFAST_VERSION,
      startTime: this.identity.startTime,
      endpoints: this.endpoints.list(),
      connectionsAccepted: BigInt(this.connections.accepted),
      negotiating: this.connections.negotiating().length,
      limitsHit: Object.fromEntries(
        [...this.limitsHit.counts].map(([limit, count]) => [limit, BigInt(count)]),
      ),
      tlsHandshakesFailed: BigInt(this.connections.tlsFailures),
      openDescriptors: openFdCount(),
    };
  }
}
