import type { Effects, Field } from '../effects.js';
import type { IsEmpty, Outcome, Rejection, TableChange } from '../table/change.js';

/** What was asked of the table. */
export type Operation =
  | { readonly kind: 'create-allocator'; readonly allocator: string }
  | { readonly kind: 'load'; readonly program: string; readonly effects: Effects }
  | { readonly kind: 'unload'; readonly program: string }
  | { readonly kind: 'free-map'; readonly map: string }
  | { readonly kind: 'destroy-allocator'; readonly allocator: string };

/** A field that was looked at, and what was seen. */
export interface Observation {
  readonly field: Field;
  readonly isEmpty: boolean;
}

/** One line of the trail, which is only ever appended to: what was asked, seen and decided. */
export interface AuditRecord {
  readonly operation: Operation;
  /** In the order in which the fields were looked at. */
  readonly observed: readonly Observation[];
  readonly rejection: Rejection['reason'] | undefined;
  readonly destroyed: readonly string[];
}

/** An `isEmpty` that remembers what it was asked. */
export class Observer {
  readonly observed: Observation[] = [];

  constructor(private readonly isEmptyNow: IsEmpty) {}

  readonly isEmpty: IsEmpty = (field) => {
    const isEmpty = this.isEmptyNow(field);
    this.observed.push({ field, isEmpty });
    return isEmpty;
  };
}

/** The line for an operation that was decided so. */
export function auditRecord(
  operation: Operation,
  decided: Outcome | TableChange,
  observed: readonly Observation[] = [],
): AuditRecord {
  const outcome = 'accepted' in decided ? decided : { accepted: true as const, change: decided };
  return {
    operation,
    observed,
    rejection: outcome.accepted ? undefined : outcome.rejection.reason,
    destroyed: outcome.accepted ? outcome.change.allocatorsDestroyed : [],
  };
}
