import { counted, HoldfastError } from '@holdfast/foundation';
import { isUnixSocket, setSendBuffer } from '@holdfast/linux';
import type { Logger } from '@holdfast/service';
import {
  LOOP_BUFFERS,
  SMALL_LOOP_BUFFERS,
  THREAD_INPUT_BYTES,
  THREAD_OUTPUT_BYTES,
  type LoopBuffers,
} from '../engine/buffer-sizes.js';
import { LOOP_BOUNCE_BYTES, LOOP_BOUNCES_MAX, THREAD_BOUNCE_BYTES } from '../direct/bounce-buffers.js';
import { THREAD_STAGE_BYTES } from '../direct/staged-reads.js';
import type { Engine } from '../engine/engine.js';
import { MemoryBudget, type MemoryShare } from './memory-budget.js';

/** What a stream of Node reads ahead: its own buffer, and the piece that is being read. */
const READ_AHEAD_BYTES = 128 * 1024;

/** What Linux keeps for a Unix socket whose client does not read, unless told (net.core.wmem_default). */
const SOCKET_BYTES = 208 * 1024;

/**
 * On a Unix socket: wide enough that a whole batch of replies is one send (64k reads 2.0 → 3.0 times). TCP sizes its own
 * buffer, and a wider one moves the work of sending into the receiver.
 */
const WIDE_SOCKET_BYTES = 4 * 1024 * 1024;

/** The kernel allows twice what it is told, for what it adds to it (socket(7), SO_SNDBUF). */
const SOCKET_OVERHEAD = 2;

/** Least memory of a session, in bytes: small buffers, and what Node and the kernel keep of its connection. */
export const SESSION_BYTES_MIN =
  SMALL_LOOP_BUFFERS.inputBytes + SMALL_LOOP_BUFFERS.outputBytes + READ_AHEAD_BYTES + SOCKET_BYTES;

const LARGER_BUFFERS_BYTES =
  LOOP_BUFFERS.inputBytes +
  LOOP_BUFFERS.outputBytes -
  SMALL_LOOP_BUFFERS.inputBytes -
  SMALL_LOOP_BUFFERS.outputBytes;

/** What the buffers of a thread and of the socket that it serves take, in bytes. */
const THREAD_BYTES = THREAD_INPUT_BYTES + THREAD_OUTPUT_BYTES + THREAD_BOUNCE_BYTES + THREAD_STAGE_BYTES;

/** What sessions of the event loop share, in bytes, however many there are. */
export const SHARED_BYTES = LOOP_BOUNCES_MAX * LOOP_BOUNCE_BYTES;

/** Bounds what all sessions have in memory together (HOLDFAST_WORKER_MEMORY_MAX). */
export class SessionMemory {
  readonly #budget: MemoryBudget;
  readonly #logger: Logger;

  /** @throws HoldfastError INVALID_SETTING when there is not enough for a single session beside the threads */
  constructor({ memoryMax, threads, sessionsMax }: MemorySettings, logger: Logger) {
    this.#logger = logger;
    const sessionsBytes = memoryMax - threads * THREAD_BYTES - SHARED_BYTES;
    if (sessionsBytes < SESSION_BYTES_MIN) {
      const least = threads * THREAD_BYTES + SHARED_BYTES + SESSION_BYTES_MIN;
      throw new HoldfastError(
        'INVALID_SETTING',
        `HOLDFAST_WORKER_MEMORY_MAX must be at least ${String(least)} with ${counted(threads, 'thread')}`,
        { setting: 'HOLDFAST_WORKER_MEMORY_MAX' },
      );
    }
    this.#budget = new MemoryBudget(sessionsBytes, SESSION_BYTES_MIN, sessionsMax);
  }

  /** What is left for further sessions, in bytes. */
  get freeBytes(): number {
    return this.#budget.freeBytes;
  }

  /** The memory of one more session. @throws HoldfastError LIMIT_REACHED when there is none */
  admit(): MemoryShare {
    const share = this.#budget.admit();
    if (share !== undefined) return share;
    const message = 'the sessions have all the memory that there is for them (HOLDFAST_WORKER_MEMORY_MAX)';
    this.#logger.warn(`refused a session: ${message}`);
    throw new HoldfastError('LIMIT_REACHED', message, { setting: 'HOLDFAST_WORKER_MEMORY_MAX' });
  }
}

/** What bounds the memory of sessions. */
export interface MemorySettings {
  /** In bytes, for everything that is counted here. */
  readonly memoryMax: number;
  readonly threads: number;
  readonly sessionsMax: number;
}

/** Gives a session that begins, or goes on, as much as its share allows. @returns the buffers to serve it with on the event loop */
export function furnish(share: MemoryShare, engine: Engine['name'], socket: number): LoopBuffers {
  share.shrink();
  const buffers =
    engine === 'event-loop' && share.grow(LARGER_BUFFERS_BYTES) ? LOOP_BUFFERS : SMALL_LOOP_BUFFERS;
  if (isUnixSocket(socket)) {
    const isWide = share.grow(WIDE_SOCKET_BYTES * SOCKET_OVERHEAD - SOCKET_BYTES);
    // One that goes on may have been wide before.
    setSendBuffer(socket, isWide ? WIDE_SOCKET_BYTES : SOCKET_BYTES / SOCKET_OVERHEAD);
  }
  return buffers;
}
