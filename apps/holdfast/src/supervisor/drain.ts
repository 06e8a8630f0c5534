import { DRAIN_MS_DEFAULT } from '@holdfast/contracts';
import type { ServiceName } from '../client/endpoints.js';

/**
 * How long a service may drain when it stops. The worker's is a setting; what is no number there ends the worker's
 * start, with a sentence of its own.
 *
 * @param environment that the service gets
 */
export function drainMsOf(name: ServiceName, environment: NodeJS.ProcessEnv): number {
  const given = Number(environment['HOLDFAST_WORKER_DRAIN_MS'] ?? DRAIN_MS_DEFAULT);
  return name === 'io-worker' && Number.isFinite(given) ? given : DRAIN_MS_DEFAULT;
}
