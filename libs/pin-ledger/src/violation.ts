import type { VariantName } from './variant.js';

/** What can go wrong between acquire and release. None of it ever releases or frees anything (E9): it can only leak (E10). */
export const ViolationKind = {
  /** A request was completed, or a reference dropped, that is not there: it was released before. */
  underflow: 0,
  /** A request was completed as another variant than it was filled as. */
  'wrong-kind': 1,
  /** A request was completed by another layer than the one that acquired it (E2). */
  'wrong-layer': 2,
  /** A segment was refused since the request has another variant, or is of another buffer (E5, E7). */
  'mixed-request': 3,
  /** Something was still held when everything must have been released (E10). */
  leak: 4,
} as const;
export type ViolationKind = (typeof ViolationKind)[keyof typeof ViolationKind];

export type ViolationKindName = keyof typeof ViolationKind;

/** In the order of their numbers. */
export const violationKindNames = [
  'underflow',
  'wrong-kind',
  'wrong-layer',
  'mixed-request',
  'leak',
] as const satisfies ViolationKindName[];

/** One violation, with both sites. Sites and buffers are numbers of the owner's tables. */
export interface Violation {
  readonly kind: ViolationKindName;
  /** As which it was acquired, as far as that is known, else as which it was released. */
  readonly variant: VariantName;
  readonly buffer: number;
  readonly acquireSite: number;
  readonly releaseSite: number;
  /** Segments and bytes that were left held; 0 where nothing was. */
  readonly segments: number;
  readonly bytes: number;
  /** Of the owner's clock, as it stood last. */
  readonly atMs: number;
}
