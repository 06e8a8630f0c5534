import { transports, type Transport } from './ready-line.js';

/** The two ways in which the worker serves a session; clients must not see which. */
export interface EngineCase {
  /** As `session list` names it. */
  readonly engine: 'thread' | 'event-loop';
  readonly env: NodeJS.ProcessEnv;
}

export const engines: readonly EngineCase[] = [
  { engine: 'thread', env: {} },
  { engine: 'event-loop', env: { HOLDFAST_WORKER_THREADS: '0' } },
];

/** Every engine over every transport. */
export const enginesAndTransports: readonly (EngineCase & { readonly transport: Transport })[] =
  engines.flatMap((one) => transports.map((transport) => ({ ...one, transport })));
