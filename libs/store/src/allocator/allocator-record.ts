/**
 * - `CREATING`: its device is not reserved yet; it hands out nothing.
 * - `ACTIVE`: it hands out chunks.
 * - `DRAINING`: it is to be destroyed, once no chunk of it is allocated and no dependency row names it.
 * - `DESTROYING`: nothing names it any more, and nothing can; its device is being released.
 */
export const allocatorStates = ['CREATING', 'ACTIVE', 'DRAINING', 'DESTROYING'] as const;

export type AllocatorState = (typeof allocatorStates)[number];

/** The region of which an allocator hands out chunks. */
export interface Pool {
  /** The device; absent: memory of the service, whose contents end with it. */
  readonly deviceId?: string;
  /** Where the region begins, in bytes; 0 for memory. */
  readonly offset: bigint;
  /** Bytes of a chunk. */
  readonly chunkBytes: number;
  /** Chunks; the region is `chunkBytes * capacity` long. */
  readonly capacity: number;
}

/** What the user says of an allocator; it never changes. */
export interface AllocatorDefinition {
  /** Last segment of `allocators/{allocator}`; checked by `checkResourceId`. */
  readonly name: string;
  readonly pool: Pool;
}

export interface AllocatorRecord extends AllocatorDefinition {
  /** The owner tag of its chunks: no other allocator ever has it. */
  readonly number: bigint;
  readonly state: AllocatorState;
  readonly createTime: Date;
}
