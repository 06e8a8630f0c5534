import { stateLayout } from '@holdfast/contracts';
import { ServiceHealth, SETTINGS, type Lifecycle } from '@holdfast/service';
import { Inject, Injectable } from '@nestjs/common';
import { ConnectionService } from './connection/connection.service.js';
import { Listeners } from './connection/listeners.js';
import { ExportService } from './export/export.service.js';
import { RateAnnouncer } from './export/rate-announcer.js';
import { SessionCensus } from './session/session-census.js';
import { SessionOpener } from './session/session-opener.js';
import type { GatewaySettings } from './settings.js';
import { STORE, type StoreToken } from './store.provider.js';
import { TLS_UPGRADE, type TlsUpgrade } from './tls/tls-upgrade.js';

/** How long clients in the handshake may take to hear that the server stops. */
const STOP_GRACE_MS = 300;

/**
 * What happens when the gateway starts and when it stops. Sessions in transmission are the worker's and go on; those
 * inside TLS are carried by this process, and end with it.
 */
@Injectable()
export class GatewayLifecycle implements Lifecycle {
  constructor(
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
    @Inject(STORE) private readonly store: StoreToken,
    private readonly health: ServiceHealth,
    private readonly listeners: Listeners,
    private readonly connections: ConnectionService,
    private readonly census: SessionCensus,
    private readonly opener: SessionOpener,
    private readonly exports: ExportService,
    private readonly rates: RateAnnouncer,
    @Inject(TLS_UPGRADE) private readonly tls: TlsUpgrade | undefined,
  ) {}

  async start(): Promise<void> {
    const { listen, nbdSocket, stateFolder } = this.settings;
    this.census.onRecount = (exportNames) => {
      void this.rates.announceTo(exportNames);
    };
    this.census.follow();
    void this.opener.releaseUnused();
    await this.listeners.listen({
      tcp: listen,
      unixPath: nbdSocket === '' ? stateLayout(stateFolder).nbdSocket : nbdSocket,
    });
    this.health.ready();
  }

  async drain(): Promise<void> {
    this.listeners.close();
    await this.connections.stop(STOP_GRACE_MS);
    await this.tls?.drain();
  }

  async release(): Promise<void> {
    this.census.stop();
    this.opener.close();
    this.exports.close();
    this.rates.close();
    await this.store.close();
  }
}
