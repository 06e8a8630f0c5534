import type { TransmissionFacts } from '@holdfast/nbd-protocol';
import type { DirectAccess } from '../direct/direct-access.js';
import type { EndReason } from './engine.js';

/** What an I/O thread is made with. */
export interface ThreadMemory {
  /** Of the engine's `AwakeThreads`. */
  readonly awake: SharedArrayBuffer;
  /** What this thread has locked of a device (`BlockLock`). */
  readonly heldLocks: SharedArrayBuffer;
}

/** To an I/O thread: one session. Descriptors are numbers of the same process; their owner is the main thread. */
export interface ThreadTask {
  readonly socket: number;
  readonly device: number;
  readonly direct: DirectAccess | undefined;
  readonly facts: TransmissionFacts;
  readonly preload: Uint8Array;
  readonly control: SharedArrayBuffer;
  readonly pins: SharedArrayBuffer;
  readonly limit: SharedArrayBuffer | undefined;
  /** Descriptor of the thread's own `WakeBell`. */
  readonly bell: number;
}

/** From an I/O thread. */
export type ThreadReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ended'; readonly reason: EndReason }
  /** What was received and not decoded. */
  | { readonly kind: 'paused'; readonly undecoded: Uint8Array };
