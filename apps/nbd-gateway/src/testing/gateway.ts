import 'reflect-metadata';
import { gatewayV1, stateLayout, type StateLayout } from '@holdfast/contracts';
import { createLogger, processIdentity, ServiceHealth, ServiceModule, type Logger } from '@holdfast/service';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { onTestFinished, vi } from 'vitest';
import { ConnectionService } from '../connection/connection.service.js';
import { Endpoints } from '../export/endpoints.js';
import { ExportController } from '../export/export.controller.js';
import { GatewayLifecycle } from '../gateway-lifecycle.js';
import { GatewayModule } from '../gateway.module.js';
import { LimitsHit } from '../gateway/limits-hit.js';
import { SessionCensus } from '../session/session-census.js';
import { SessionController } from '../session/session.controller.js';
import { SessionOpener } from '../session/session-opener.js';
import type { GatewaySettings } from '../settings.js';
import { STORE, type StoreToken } from '../store.provider.js';
import { TLS_UPGRADE, type TlsUpgrade } from '../tls/tls-upgrade.js';
import { RecordingRegistry } from './recording-registry.js';
import { RecordingWorker } from './recording-worker.js';
import { temporaryFolder } from './temporary-folder.js';

const defaults: Omit<GatewaySettings, 'stateFolder'> = {
  logLevel: 'silent',
  supervised: false,
  faultPoints: '',
  databaseUrl: '',
  listen: { host: '127.0.0.1', port: 0 },
  nbdSocket: '',
  connectionsMax: 100,
  clientConnectionsMax: 100,
  exportConnectionsMax: 100,
  handshakeMs: 10_000,
  tls: 'off',
  tlsCertificates: '',
  tlsClientCertificates: 'required',
  tlsPsk: '',
  tlsMinimumVersion: '1.2',
};

/** A gateway as its module wires it, with real listening sockets, between a registry and a worker that record. */
export class TestGateway {
  readonly #app: INestApplicationContext;

  private constructor(
    app: INestApplicationContext,
    readonly layout: StateLayout,
    readonly logger: Logger,
    readonly registry: RecordingRegistry,
    readonly worker: RecordingWorker,
  ) {
    this.#app = app;
  }

  static async start(change: Partial<GatewaySettings> = {}, tls?: TlsUpgrade): Promise<TestGateway> {
    const stateFolder = temporaryFolder();
    const layout = stateLayout(stateFolder);
    const registry = await RecordingRegistry.start(layout);
    const worker = await RecordingWorker.start(layout);
    const logger = createLogger('nbd-gateway', 'silent');
    const settings = { ...defaults, stateFolder, ...change };
    const health = new ServiceHealth([]);
    const shared = ServiceModule.of({ logger, health, identity: processIdentity(), settings });
    const providers = tls === undefined ? [] : [{ provide: TLS_UPGRADE, useValue: tls }];
    @Module({ imports: [shared, { module: GatewayModule, providers }] })
    class Root {}
    const app = await NestFactory.createApplicationContext(Root, { logger: false, abortOnError: false });
    const gateway = new TestGateway(app, layout, logger, registry, worker);
    onTestFinished(async () => {
      await gateway.lifecycle.drain();
      await gateway.lifecycle.release();
      registry.stop();
      await worker.stop();
    });
    await gateway.lifecycle.start();
    await vi.waitUntil(() => worker.watched, { timeout: 5_000, interval: 5 });
    return gateway;
  }

  /** Publishes an attached device. */
  async publish(id: string, change: Partial<gatewayV1.Export> = {}): Promise<void> {
    this.registry.devices.set(`devices/${id}`, {});
    // The database is one, so the registry's record of the device is in it.
    const backing = { kind: 'file', path: `/${id}` } as const;
    await this.store.devices.create({ id, backing, readOnly: false, transient: false });
    const definition = gatewayV1.Export.fromPartial({ device: `devices/${id}`, ...change });
    await this.exportsApi.createExport({ exportId: id, export: definition });
  }

  get store(): StoreToken {
    return this.#app.get<StoreToken>(STORE);
  }
  get lifecycle() {
    return this.#app.get(GatewayLifecycle);
  }
  get endpoints() {
    return this.#app.get(Endpoints);
  }
  get connections() {
    return this.#app.get(ConnectionService);
  }
  get census() {
    return this.#app.get(SessionCensus);
  }
  get opener() {
    return this.#app.get(SessionOpener);
  }
  get limitsHit() {
    return this.#app.get(LimitsHit);
  }
  get exportsApi() {
    return this.#app.get(ExportController);
  }
  get sessionsApi() {
    return this.#app.get(SessionController);
  }
}
