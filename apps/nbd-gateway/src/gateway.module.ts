import { stateLayout } from '@holdfast/contracts';
import { databaseUrl, LOGGER, SETTINGS, type Logger } from '@holdfast/service';
import { openStore, type Store } from '@holdfast/store';
import { Module, type FactoryProvider } from '@nestjs/common';
import { ConnectionService } from './connection/connection.service.js';
import { Listeners } from './connection/listeners.js';
import { ChunkExports } from './export/chunk-exports.js';
import { Endpoints } from './export/endpoints.js';
import { ExportController } from './export/export.controller.js';
import { ExportService } from './export/export.service.js';
import { RateAnnouncer } from './export/rate-announcer.js';
import { GatewayLifecycle } from './gateway-lifecycle.js';
import { GatewayController } from './gateway/gateway.controller.js';
import { LimitsHit } from './gateway/limits-hit.js';
import { SessionCensus } from './session/session-census.js';
import { SessionController } from './session/session.controller.js';
import { SessionLimits } from './session/session-limits.js';
import { SessionOpener } from './session/session-opener.js';
import type { GatewaySettings } from './settings.js';
import { STORE } from './store.provider.js';
import { CurrentAcceptor } from './tls/current-acceptor.js';
import { tlsConfiguration } from './tls/tls-settings.js';
import { TlsTermination } from './tls/tls-termination.js';
import { TLS_UPGRADE, type TlsUpgrade } from './tls/tls-upgrade.js';

const addresses = (settings: GatewaySettings) => {
  const layout = stateLayout(settings.stateFolder);
  return {
    registry: `unix:${layout.registrySocket}`,
    worker: `unix:${layout.workerSocket}`,
    verifier: `unix:${layout.verifierSocket}`,
  };
};

const store: FactoryProvider<Store> = {
  provide: STORE,
  inject: [SETTINGS],
  useFactory: (settings: GatewaySettings) =>
    openStore({
      url: databaseUrl(settings),
    }),
};

const exportService: FactoryProvider<ExportService> = {
  provide: ExportService,
  inject: [STORE, SETTINGS],
  useFactory: (ownStore: Store, settings: GatewaySettings) => {
    const { registry, verifier } = addresses(settings);
    return new ExportService(ownStore, registry, new ChunkExports(verifier));
  },
};

const sessionCensus: FactoryProvider<SessionCensus> = {
  provide: SessionCensus,
  inject: [SETTINGS, LOGGER],
  useFactory: (settings: GatewaySettings, logger: Logger) =>
    new SessionCensus(addresses(settings).worker, logger),
};

const sessionOpener: FactoryProvider<SessionOpener> = {
  provide: SessionOpener,
  inject: [ExportService, SessionCensus, SETTINGS, LimitsHit, RateAnnouncer, LOGGER],
  useFactory: (
    exports: ExportService,
    census: SessionCensus,
    settings: GatewaySettings,
    limitsHit: LimitsHit,
    rates: RateAnnouncer,
    logger: Logger,
  ) => {
    const limits = new SessionLimits(census, settings.exportConnectionsMax, limitsHit);
    return new SessionOpener(exports, census, limits, rates, addresses(settings), logger);
  },
};

const rateAnnouncer: FactoryProvider<RateAnnouncer> = {
  provide: RateAnnouncer,
  inject: [STORE, SETTINGS, LOGGER],
  useFactory: (ownStore: Store, settings: GatewaySettings, logger: Logger) =>
    new RateAnnouncer(ownStore, addresses(settings).worker, logger),
};

const tlsUpgrade: FactoryProvider<TlsUpgrade | undefined> = {
  provide: TLS_UPGRADE,
  inject: [SessionOpener, SETTINGS, LOGGER],
  useFactory: (opener: SessionOpener, settings: GatewaySettings, logger: Logger) => {
    const configuration = tlsConfiguration(settings);
    if (configuration === undefined) return undefined;
    const acceptor = new CurrentAcceptor(configuration, logger);
    return new TlsTermination(configuration.mode, acceptor, (session) => opener.stop(session), logger);
  },
};

const connectionService: FactoryProvider<ConnectionService> = {
  provide: ConnectionService,
  inject: [ExportService, SessionOpener, SessionCensus, SETTINGS, LimitsHit, TLS_UPGRADE, LOGGER],
  useFactory: (
    exports: ExportService,
    opener: SessionOpener,
    census: SessionCensus,
    settings: GatewaySettings,
    limitsHit: LimitsHit,
    tls: TlsUpgrade | undefined,
    logger: Logger,
  ) =>
    new ConnectionService(
      exports,
      opener,
      census,
      settings,
      limitsHit,
      tls,
      stateLayout(settings.stateFolder).workerHandoff,
      logger,
    ),
};

@Module({
  controllers: [ExportController, GatewayController, SessionController],
  providers: [
    store,
    exportService,
    rateAnnouncer,
    sessionCensus,
    sessionOpener,
    tlsUpgrade,
    connectionService,
    Endpoints,
    GatewayLifecycle,
    { provide: LimitsHit, inject: [LOGGER], useFactory: (logger: Logger) => new LimitsHit(logger) },
    {
      provide: Listeners,
      inject: [Endpoints, ConnectionService, LOGGER],
      useFactory: (endpoints: Endpoints, connections: ConnectionService, logger: Logger) =>
        new Listeners(
          endpoints,
          (socket) => {
            connections.accept(socket);
          },
          logger,
        ),
    },
  ],
})
export class GatewayModule {}
