import type { OwnedFd } from '@holdfast/linux';
import type { SessionCounters } from '../engine/session-control.js';

/** All that there is of a session that rests between two requests, beside what was negotiated for it. */
export interface SessionRest {
  readonly socket: OwnedFd;
  /** What was received of the client and not decoded. */
  readonly undecoded: Uint8Array;
  /** Its new requests are answered with ESHUTDOWN. */
  readonly stopping: boolean;
  /** Its WRITEs have payloads though it does not say so (T1). */
  readonly assumesPayloads: boolean;
  readonly counters: SessionCounters;
}
