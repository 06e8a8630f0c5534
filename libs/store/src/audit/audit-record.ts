/** Who brought a change about. */
export const actors = ['operator', 'gateway', 'worker', 'registry'] as const;

/**
 * - `operator`: whoever calls the API of devices
 * - `gateway`: for a client that came
 * - `worker`: told that a session has ended
 * - `registry`: of its own accord, repairing what a crash left or attaching what is wanted
 */
export type Actor = (typeof actors)[number];

/** Who wants a change, and why. */
export interface Cause {
  readonly actor: Actor;
  /** A clause for people: `detach was asked for`. */
  readonly reason: string;
  /** The request that asked for it, where its caller may repeat it: it is noted with what was done for it. */
  readonly requestId?: string;
}

/** What nobody else has asked for. */
export const OWN_ACCORD: Cause = { actor: 'registry', reason: '' };

/** A change of state as whoever makes it notes it. */
export interface AuditEntry {
  readonly deviceId: string;
  /** Absent when the change is the device's own: registered, removed. */
  readonly attachmentId?: string;
  /** Present when it is a lease that changed. */
  readonly lease?: bigint;
  /** States by their names; `from` is empty for what came to be. */
  readonly from: string;
  readonly to: string;
}

/** A change of state as it was recorded, in one transaction with the change itself. */
export interface AuditRecord extends AuditEntry, Omit<Cause, 'requestId'> {
  /** Rises in the order of the commits. */
  readonly number: bigint;
  readonly time: Date;
}
