import 'reflect-metadata';
import {
  createLogger,
  processIdentity,
  ServiceHealth,
  ServiceModule,
  HandoffInbox,
  type Logger,
} from '@holdfast/service';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { vi } from 'vitest';
import { AttachmentReconciler } from '../attachment/attachment.reconciler.js';
import { AttachmentService } from '../attachment/attachment.service.js';
import { DeviceOperations } from '../attachment/device-operations.js';
import { WantedDevices } from '../attachment/wanted-devices.js';
import { Holds } from '../attachment/holds.js';
import { SizeWatch } from '../attachment/size-watch.js';
import { DeviceController } from '../device/device.controller.js';
import { LeaseController } from '../lease/lease.controller.js';
import { LeaseReconciler } from '../lease/lease.reconciler.js';
import { LeaseService } from '../lease/lease.service.js';
import { RegistryLifecycle } from '../registry-lifecycle.js';
import { RegistryModule } from '../registry.module.js';
import type { RegistrySettings } from '../settings.js';
import { STORE, type StoreToken } from '../store.provider.js';
import { WorkerLink } from '../worker/worker-link.js';

/** The registry as its module wires it, without the gRPC server in front: real store, sockets and descriptors. */
export class TestRegistry {
  readonly #app: INestApplicationContext;

  private constructor(
    app: INestApplicationContext,
    readonly logger: Logger,
    readonly health: ServiceHealth,
  ) {
    this.#app = app;
  }

  static async create(stateFolder: string): Promise<TestRegistry> {
    const settings: RegistrySettings = {
      stateFolder,
      logLevel: 'silent',
      supervised: false,
      faultPoints: '',
      databaseUrl: '',
    };
    const logger = createLogger('device-registry', 'silent');
    const health = new ServiceHealth([]);
    const shared = ServiceModule.of({ logger, health, identity: processIdentity(), settings });
    @Module({ imports: [shared, { module: RegistryModule }] })
    class Root {}
    const app = await NestFactory.createApplicationContext(Root, { logger: false, abortOnError: false });
    return new TestRegistry(app, logger, health);
  }

  /** Started, and in step with the worker that is there. */
  static async start(stateFolder: string): Promise<TestRegistry> {
    const registry = await TestRegistry.create(stateFolder);
    const ready = registry.ready();
    await registry.lifecycle.start();
    await ready;
    return registry;
  }

  /** Resolves when it says, from now on, that it serves. */
  async ready(): Promise<void> {
    const { mock } = vi.spyOn(this.health, 'ready');
    const before = mock.calls.length;
    await vi.waitUntil(() => mock.calls.length > before, { timeout: 10_000, interval: 5 });
  }

  async linked(kind: WorkerLink['state']['kind'] = 'up'): Promise<void> {
    await vi.waitUntil(() => this.link.state.kind === kind, { timeout: 10_000, interval: 5 });
  }

  get store(): StoreToken {
    return this.#app.get<StoreToken>(STORE);
  }
  get link() {
    return this.#app.get(WorkerLink);
  }
  get holds() {
    return this.#app.get(Holds);
  }
  get operations() {
    return this.#app.get(DeviceOperations);
  }
  get attachments() {
    return this.#app.get(AttachmentService);
  }
  get reconciler() {
    return this.#app.get(AttachmentReconciler);
  }
  get leaseReconciler() {
    return this.#app.get(LeaseReconciler);
  }
  get leases() {
    return this.#app.get(LeaseService);
  }
  get devicesApi() {
    return this.#app.get(DeviceController);
  }
  get leasesApi() {
    return this.#app.get(LeaseController);
  }
  get lifecycle() {
    return this.#app.get(RegistryLifecycle);
  }

  /** As the kernel ends a process: nothing is finished, every descriptor is closed. */
  async die(): Promise<void> {
    this.link.stop();
    this.leaseReconciler.stop();
    this.#app.get(WantedDevices).stop();
    this.#app.get(SizeWatch).stop();
    await this.#app.get(HandoffInbox).close();
    this.holds.letGoOfAll();
    await this.store.close();
  }
}
