import { HealthImplementation, type ServingStatus } from 'grpc-health-check';
import type { Server } from '@grpc/grpc-js';

/** grpc.health.v1: NOT_SERVING until the service is ready, and again, for good, from the start of its shutdown. */
export class ServiceHealth {
  readonly #services: readonly string[];
  readonly #health: HealthImplementation;
  #stopping = false;

  /** @param services full names, such as `holdfast.registry.v1.DeviceService`; "" stands for the whole process */
  constructor(services: readonly string[]) {
    this.#services = ['', ...services];
    this.#health = new HealthImplementation(
      Object.fromEntries(this.#services.map((name) => [name, 'NOT_SERVING' as const])),
    );
  }

  /** The service takes work from now on; one that is stopping by then does not. */
  ready(): void {
    if (!this.#stopping) this.#setStatus('SERVING');
  }

  /** Final: what was about to get ready meanwhile changes nothing. */
  stopping(): void {
    this.#stopping = true;
    this.#setStatus('NOT_SERVING');
  }

  addToServer(server: Server): void {
    this.#health.addToServer(server);
  }

  #setStatus(status: ServingStatus): void {
    for (const name of this.#services) this.#health.setStatus(name, status);
  }
}
