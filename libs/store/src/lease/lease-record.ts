import type { ByteCount, LeaseEpoch } from '@holdfast/foundation';
import type { Claim, LiveLeaseState } from '@holdfast/lease';

/** What a lease is asked for. */
export interface LeaseRequest extends Claim {
  readonly deviceId: string;
  /** Last segment of `sessions/{session}`; one lease a session. */
  readonly session: string;
  /** The worker process that the lease will be valid at. */
  readonly workerInstance: string;
}

/** A live lease: the right of one session to use one attachment. Released leases have no record. */
export interface LeaseRecord extends LeaseRequest {
  /** Last segment of `leases/{number}`; rises, and is never used twice. */
  readonly number: bigint;
  readonly attachmentId: string;
  readonly state: LiveLeaseState;
  /** Epoch of the attachment. */
  readonly epoch: LeaseEpoch;
  /** Size of the device, as it is now. */
  readonly sizeBytes: ByteCount;
  readonly createTime: Date;
}
