import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ServiceHealth } from './grpc/health.js';
import type { Logger } from './log.js';
import type { ProcessIdentity } from './process-identity.js';

/** Injection tokens of what every service has. */
export const LOGGER = Symbol('Logger');
export const PROCESS_IDENTITY = Symbol('ProcessIdentity');
export const SETTINGS = Symbol('Settings');

/** Makes logger, health, identity and settings injectable everywhere in a service. */
@Global()
@Module({})
export class ServiceModule {
  static of(parts: {
    logger: Logger;
    health: ServiceHealth;
    identity: ProcessIdentity;
    settings: unknown;
  }): DynamicModule {
    const providers = [
      { provide: LOGGER, useValue: parts.logger },
      { provide: ServiceHealth, useValue: parts.health },
      { provide: PROCESS_IDENTITY, useValue: parts.identity },
      { provide: SETTINGS, useValue: parts.settings },
    ];
    return { module: ServiceModule, providers, exports: providers };
  }
}
