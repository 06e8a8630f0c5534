import { exportName } from '@holdfast/contracts';
import { counted, HoldfastError } from '@holdfast/foundation';
import type { ExportRecord } from '@holdfast/store';
import { clientOf } from '../client/client-peer.js';
import type { ConnectedClient } from '../client/connected-client.js';
import type { LimitsHit } from '../gateway/limits-hit.js';
import type { SessionCensus } from './session-census.js';

/** How many sessions an export may have (N10): those that the export says, else those of the setting. */
export class SessionLimits {
  constructor(
    private readonly census: SessionCensus,
    private readonly exportConnectionsMax: number,
    private readonly limitsHit: LimitsHit,
  ) {}

  /**
   * Whether there is room for one more session. @throws HoldfastError LIMIT_REACHED when there is none, which is
   * logged and counted
   */
  check(record: ExportRecord, { address }: Pick<ConnectedClient, 'address'>): void {
    const published = exportName.format(record.id);
    const { connectionsMax, clientConnectionsMax } = record;
    const max = connectionsMax === 0 ? this.exportConnectionsMax : connectionsMax;
    if (this.census.countOf(published) >= max) {
      this.limitsHit.hit('export-connections', address);
      throw new HoldfastError(
        'LIMIT_REACHED',
        `export "${record.id}" has ${counted(max, 'session')} already`,
        {
          ...(connectionsMax === 0 && { setting: 'HOLDFAST_EXPORT_CONNECTIONS_MAX' }),
        },
      );
    }
    if (
      clientConnectionsMax > 0 &&
      this.census.countOf(published, clientOf(address)) >= clientConnectionsMax
    ) {
      this.limitsHit.hit('export-client-connections', address);
      throw new HoldfastError(
        'LIMIT_REACHED',
        `this client has ${counted(clientConnectionsMax, 'session')} on export "${record.id}" already`,
      );
    }
  }
}
