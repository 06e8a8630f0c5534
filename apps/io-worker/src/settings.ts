import { DRAIN_MS_DEFAULT, WORKER_POOL_THREADS_DEFAULT } from '@holdfast/contracts';
import { ASYNC_CALLS_MAX } from '@holdfast/linux';
import {
  byteSize,
  flag,
  integer,
  integerOr,
  milliseconds,
  setting,
  type ServiceSettings,
} from '@holdfast/service';

export const workerSettings = {
  threads: setting(
    'HOLDFAST_WORKER_THREADS',
    integer(0, 256),
    '8',
    'I/O threads made ahead, one connection each; connections beyond them share the event loop. 0: no threads. About 9 MB each.',
  ),
  threadsFirst: setting(
    'HOLDFAST_WORKER_THREADS_FIRST',
    integerOr('cores', 0, 256),
    'cores',
    'How many of them are made before the worker is ready; the others follow one by one, since each costs some 80 ms of a core. `cores`: one for each processor, which together are made in about the time of one.',
  ),
  poolThreads: setting(
    'HOLDFAST_WORKER_POOL_THREADS',
    integer(2, ASYNC_CALLS_MAX + 1),
    String(WORKER_POOL_THREADS_DEFAULT),
    'Threads for calls of the event loop that may wait for a disk, and one for descriptors; made at the first such call. It is the UV_THREADPOOL_SIZE that `serve` starts the worker with. More let more sessions of the event loop wait at a time.',
  ),
  sessionsMax: setting(
    'HOLDFAST_WORKER_SESSIONS_MAX',
    integer(1, 65_535),
    '1024',
    'Sessions served at once; more are refused.',
  ),
  memoryMax: setting(
    'HOLDFAST_WORKER_MEMORY_MAX',
    byteSize(1024 * 1024, 2 ** 40),
    '1G',
    'Memory that the buffers of threads and sessions may take together, those of their Unix sockets in the kernel among them. Sessions get smaller ones when there are many; when there is none for one more, it is refused.',
  ),
  drainMs: setting(
    'HOLDFAST_WORKER_DRAIN_MS',
    milliseconds,
    String(DRAIN_MS_DEFAULT),
    'Milliseconds that requests under way may take to finish when the worker stops.',
  ),
  takeover: setting(
    'HOLDFAST_WORKER_TAKEOVER',
    flag,
    '0',
    'Set by the supervisor: the worker takes over from the one that runs, with its devices and clients, or fails.',
  ),
} as const;

export type WorkerSettings = ServiceSettings<typeof workerSettings>;
