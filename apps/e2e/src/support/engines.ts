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
