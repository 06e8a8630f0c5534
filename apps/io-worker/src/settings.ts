import { DRAIN_MS_DEFAULT } from '@holdfast/contracts';
import { byteSize, flag, integer, milliseconds, setting, type ServiceSettings } from '@holdfast/service';

export const workerSettings = {
  threads: setting(
    'HOLDFAST_WORKER_THREADS',
    integer(0, 256),
    '8',
    'I/O threads made ahead, one connection each; connections beyond them share the event loop. 0: no threads. About 9 MB each.',
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
