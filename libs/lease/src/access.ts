/**
 * What a lease permits, and whom it tolerates beside it:
 *
 * - `READ_ONLY`: reading; beside any lease but an exclusive one.
 * - `READ_WRITE`: reading and writing; beside readers, and beside writers of the same client group.
 * - `EXCLUSIVE`: reading and writing, beside nobody.
 */
export const accessKinds = ['READ_ONLY', 'READ_WRITE', 'EXCLUSIVE'] as const;

export type Access = (typeof accessKinds)[number];

export function isAccess(text: string): text is Access {
  return (accessKinds as readonly string[]).includes(text);
}

/** Whether a device may be leased for `access`: one that is open for reading only cannot be written. */
export function deviceAllows(device: { readonly readOnly: boolean }, access: Access): boolean {
  return access === 'READ_ONLY' || !device.readOnly;
}

/** What decides whether two leases on one device may live at the same time. */
export interface Claim {
  readonly access: Access;
  /** Whose connections share the device for writing; empty: those of nobody in particular, who share with each other. */
  readonly clientGroup: string;
}

/** Whether two leases on one device may live at the same time. */
export function compatible(one: Claim, other: Claim): boolean {
  if (one.access === 'EXCLUSIVE' || other.access === 'EXCLUSIVE') return false;
  if (one.access === 'READ_ONLY' || other.access === 'READ_ONLY') return true;
  return one.clientGroup === other.clientGroup;
}
