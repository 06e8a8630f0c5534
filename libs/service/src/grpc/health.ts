import { HealthImplementation } from 'grpc-health-check';
import type { Server } from '@grpc/grpc-js';

/** grpc.health.v1: NOT_SERVING until the service says that it is ready, and again from the start of its shutdown. */
export class ServiceHealth {
  readonly #services: readonly string[];
  readonly #health: HealthImplementation;
  #serving = false;

  /** @param services full names, such as `holdfast.registry.v1.DeviceService`; "" stands for the whole process */
  constructor(services: readonly string[]) {
    this.#services = ['', ...services];
    this.#health = new HealthImplementation(
      Object.fromEntries(this.#services.map((name) => [name, 'NOT_SERVING' as const])),
    );
  }

  get serving(): boolean {
    return this.#serving;
  }

  setServing(serving: boolean): void {
    this.#serving = serving;
    for (const name of this.#services) this.#health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  addToServer(server: Server): void {
    this.#health.addToServer(server);
  }
}
