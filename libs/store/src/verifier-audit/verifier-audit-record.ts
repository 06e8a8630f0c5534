/** What kind of thing the allocator-verifier changed. */
export const verifierSubjects = ['allocator', 'map', 'program', 'value', 'table'] as const;

export type VerifierSubject = (typeof verifierSubjects)[number];

/** A change that the allocator-verifier made, as it notes it. */
export interface VerifierAuditEntry {
  readonly kind: VerifierSubject;
  /** Resource name of what changed. */
  readonly subject: string;
  /** In one word: `created`, `draining`, `destroyed`, `stored`. */
  readonly event: string;
  /** The rest, as replaying it needs; 64-bit numbers as text. */
  readonly detail?: Readonly<Record<string, string | number>>;
}

/** The same as it was recorded, in one transaction with the change itself. */
export interface VerifierAuditRecord extends Required<VerifierAuditEntry> {
  /** Rises in the order of the commits. */
  readonly number: bigint;
  readonly time: Date;
}
