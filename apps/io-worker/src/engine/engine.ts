import type { OwnedFd } from '@holdfast/linux';
import type { TransmissionEnd, TransmissionFacts } from '@holdfast/nbd-protocol';
import type { ChunkView } from '../chunks/chunk-device.js';
import type { DirectAccess } from '../direct/direct-access.js';
import type { SharedLimit } from '../rate/shared-limit.js';
import type { LoopBuffers } from './buffer-sizes.js';
import type { EventedDevice } from './evented-device.js';
import type { SessionControl } from './session-control.js';

/** Why a session ended: what the protocol said, or what the worker decided. */
export type EndReason = TransmissionEnd | 'fenced' | 'internal-error' | 'ledger-violation';

/** Why an engine stopped serving: the session has ended, or it rests between two requests, as `requestPause` asked. */
export type ServeOutcome = EndReason | 'paused';

/** Everything an engine needs to serve one session. */
export interface Assignment {
  /** The client's socket. Its owner closes it after the engine has ended, not the engine. */
  readonly socket: OwnedFd;
  /** Descriptor of the device, lent by its holding, which outlives the session; or what the event loop alone can serve. */
  readonly device: number | EventedDevice;
  /** How that descriptor is read and written past the page cache; absent: through it. */
  readonly direct?: DirectAccess | undefined;
  /** The chunks that are served in place of the device, by the event loop alone; absent: the device is. */
  readonly chunks?: ChunkView | undefined;
  readonly facts: TransmissionFacts;
  /** What was read of the client and not decoded: by the gateway beyond the handshake, or before a pause. */
  readonly preload: Uint8Array;
  readonly control: SessionControl;
  /** Of the session's account, which the engine alone writes. */
  readonly pins: SharedArrayBuffer;
  /** What the session shares with others; absent: it may take what it can. */
  readonly limit?: SharedLimit | undefined;
  /** What it is served with on the event loop, {@link LOOP_BUFFERS} unless told; a thread has its own. */
  readonly buffers?: LoopBuffers;
}

/** Serves sessions. Both engines drive the same TransmissionMachine and pass the same tests. */
export interface Engine {
  readonly name: 'thread' | 'event-loop';
  /** Whether one more session fits. */
  readonly available: boolean;
  /** Serves to the end, or to a pause; resolves when no request of the session is under way any more. */
  serve(assignment: Assignment): Promise<ServeOutcome>;
}
