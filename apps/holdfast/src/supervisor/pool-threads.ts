import { WORKER_POOL_THREADS_DEFAULT } from '@holdfast/contracts';
import type { ServiceName } from '../client/endpoints.js';

/** What libuv makes by itself. */
const OTHERS_POOL_THREADS = '4';

/**
 * UV_THREADPOOL_SIZE of a service, which libuv reads before any code of the service runs. The worker's is a setting; what
 * is no such number there ends the worker's start, with a sentence of its own.
 *
 * @param environment that the service gets
 */
export function poolThreadsOf(name: ServiceName, environment: NodeJS.ProcessEnv): string {
  if (name !== 'io-worker') return OTHERS_POOL_THREADS;
  return environment['HOLDFAST_WORKER_POOL_THREADS'] ?? String(WORKER_POOL_THREADS_DEFAULT);
}
