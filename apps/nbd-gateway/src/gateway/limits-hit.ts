import type { Logger } from '@holdfast/service';

/** The limits that can end a connection (N10). */
export type ConnectionLimit =
  | 'connections'
  | 'client-connections'
  | 'export-connections'
  | 'export-client-connections'
  | 'handshake-time'
  | 'options-limit'
  | 'total-bytes-limit';

/** A bound that is hit is logged and counted. */
export class LimitsHit {
  readonly #logger: Logger;
  readonly #counts = new Map<ConnectionLimit, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  hit(limit: ConnectionLimit, clientAddress: string): void {
    this.#counts.set(limit, (this.#counts.get(limit) ?? 0) + 1);
    this.#logger.warn({ limit, clientAddress }, 'a limit ended a connection');
  }

  get counts(): ReadonlyMap<ConnectionLimit, number> {
    return this.#counts;
  }
}
