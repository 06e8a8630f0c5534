import { chmodSync } from 'node:fs';
import 'reflect-metadata';
import type { Server } from '@grpc/grpc-js';
import { DRAIN_MS_DEFAULT, stopDeadlineMs, type ServiceDefinition } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { NestFactory } from '@nestjs/core';
import { Module, type DynamicModule, type INestMicroservice, type Type } from '@nestjs/common';
import { Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { armFaultPoints } from './fault-points.js';
import { GrpcErrorFilter } from './grpc/error-filter.js';
import { ServiceHealth } from './grpc/health.js';
import { giveNestItsPackages } from './grpc/nest-packages.js';
import { addReflection } from './grpc/reflection.js';
import { takeOverSocketPath } from './grpc/unix-endpoint.js';
import type { Lifecycle } from './lifecycle.js';
import { createLogger, nestLogger, type Logger } from './log.js';
import { HOLDFAST_VERSION, processIdentity } from './process-identity.js';
import { ServiceModule } from './service.module.js';
import { commonSettings } from './settings/common.js';
import { parseSettings, type SettingsOf, type SettingsTable } from './settings/settings.js';
import { stopOnRequest } from './shutdown.js';

/** How long calls under way may go on once the service has drained. */
const CLOSE_GRACE_MS = 500;

/** The common settings and the service's own. */
export type ServiceSettings<Table extends SettingsTable> = SettingsOf<typeof commonSettings> &
  SettingsOf<Table>;

export interface ServiceSpecification<Table extends SettingsTable> {
  /** `device-registry`; the process title becomes `holdfast device-registry`. */
  readonly name: string;
  /** Its own settings, beside the common ones. */
  readonly settings: Table;
  /** The proto package, `holdfast.registry.v1`. */
  readonly protoPackage: string;
  /** Its services by simple name: `{ DeviceService: registryV1.DeviceServiceService }`. */
  readonly definitions: Readonly<Record<string, ServiceDefinition>>;
  /** Path of the Unix socket for gRPC. */
  readonly socketPath: (settings: ServiceSettings<Table>) => string;
  /** The class in that module which starts and stops the service. */
  readonly lifecycle: Type<Lifecycle>;
  /** Milliseconds that its drain may take, where the settings decide on that. */
  readonly drainMs?: (settings: ServiceSettings<Table>) => number;
  readonly module: (settings: ServiceSettings<Table>) => DynamicModule | Promise<DynamicModule>;
}

/**
 * Starts a service: settings, logs, gRPC on a Unix socket of mode 0600 with health and reflection, orderly shutdown.
 * The service itself decides when it is ready (ServiceHealth.ready). A failure is logged as one fatal line and ends
 * the process with exit code 1.
 */
export async function startService<Table extends SettingsTable>(
  specification: ServiceSpecification<Table>,
): Promise<void> {
  process.title = `holdfast ${specification.name}`;
  // Files and sockets are for this user alone from the moment they are made.
  process.umask(0o077);
  let logger = createLogger(specification.name, 'info');
  try {
    const common = parseSettings(commonSettings, process.env);
    logger = createLogger(specification.name, common.logLevel);
    logLastWords(logger);
    armFaultPoints(common.faultPoints);
    const settings = { ...common, ...parseSettings(specification.settings, process.env) };
    await run(specification, settings, logger);
  } catch (error) {
    const expected = error instanceof HoldfastError;
    logger.fatal(expected ? { code: error.code } : { err: error }, messageOf(error));
    process.exit(1);
  }
}

/** A bug ends the process as ever; its reason is also logged, where the supervisor finds it. */
function logLastWords(logger: Logger): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    logger.fatal({ err: error }, messageOf(error));
  });
}

async function run<Table extends SettingsTable>(
  specification: ServiceSpecification<Table>,
  settings: ServiceSettings<Table>,
  logger: Logger,
): Promise<void> {
  const serviceNames = Object.keys(specification.definitions).map(
    (name) => `${specification.protoPackage}.${name}`,
  );
  const health = new ServiceHealth(serviceNames);
  const shared = ServiceModule.of({ logger, health, identity: processIdentity(), settings });
  const socketPath = specification.socketPath(settings);
  await takeOverSocketPath(socketPath);

  await giveNestItsPackages();
  let server: Server | undefined;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(
    rootModule(shared, await specification.module(settings)),
    {
      logger: nestLogger(logger),
      abortOnError: false,
      transport: Transport.GRPC,
      options: {
        url: `unix:${socketPath}`,
        package: specification.protoPackage,
        packageDefinition: Object.fromEntries(
          Object.entries(specification.definitions).map(([name, definition]) => [
            `${specification.protoPackage}.${name}`,
            definition,
          ]),
        ),
        gracefulShutdown: true,
        onLoadPackageDefinition: (_definition: unknown, grpcServer: Server) => {
          server = grpcServer;
          health.addToServer(grpcServer);
          addReflection(grpcServer, serviceNames);
        },
      },
    },
  );
  app.useGlobalFilters(new GrpcErrorFilter(logger));
  await app.listen();
  chmodSync(socketPath, 0o600);
  const lifecycle = app.get(specification.lifecycle, { strict: false });
  let started = Promise.resolve();
  const deadlineMs = stopDeadlineMs(specification.drainMs?.(settings) ?? DRAIN_MS_DEFAULT);
  stopOnRequest(logger, settings.supervised, deadlineMs, async () => {
    health.stopping();
    // What a start beside it still makes, a drain would not find.
    await started;
    await lifecycle.drain();
    await closeServer(app, server);
    await lifecycle.release();
  });
  try {
    started = lifecycle.start();
    await started;
  } catch (error) {
    // Takes the socket away, so that nothing is left of a service that did not start.
    await closeServer(app, server);
    throw error;
  }
  logger.info({ socketPath, version: HOLDFAST_VERSION }, 'started');
}

/** Calls under way may finish; those that do not end by themselves are cut off. */
async function closeServer(app: INestMicroservice, server: Server | undefined): Promise<void> {
  const cutOff = setTimeout(() => server?.forceShutdown(), CLOSE_GRACE_MS);
  await app.close();
  clearTimeout(cutOff);
}

function rootModule(...imports: DynamicModule[]): DynamicModule {
  @Module({})
  class Root {}
  return { module: Root, imports };
}
