export { Checker } from './audit/checker.js';
export { Observer, auditRecord, type AuditRecord, type Observation, type Operation } from './audit/trail.js';
export type { Effects, Field } from './effects.js';
export type * from './program/instruction.js';
export * from './program/limits.js';
export { parseProgram, type ParsedProgram } from './program/parse.js';
export { canonicalLines, printInstruction, printProgram } from './program/print.js';
export { isProgramName, type Program, type SourceLines, type Step } from './program/program.js';
export {
  INNER_MAP,
  type AllocatorType,
  type Environment,
  type FieldType,
  type MapType,
} from './verifier/environment.js';
export { formatLocation, type Location } from './verifier/location.js';
export type { Path, PathStep } from './verifier/path-search.js';
export { formatRejection, rejectionError, type Rejection } from './verifier/rejection.js';
export { rules, type Rule } from './verifier/rules.js';
export { formatField, formatSource, type Source } from './verifier/value.js';
export type { FreeSite, VerifiedProgram } from './verifier/verified-program.js';
export { verify, type Verdict, type VerifyOptions } from './verifier/verify.js';
export { BufferedHeap, type HeapState, type Journal, type SlotChange } from './interpreter/buffered-heap.js';
export { faultError, faultKinds, isViolation, type Fault, type FaultKind } from './interpreter/fault.js';
export { formatHandle, sameHandle, type Handle, type Heap, type Slot } from './interpreter/heap.js';
export { runProgram, type RunOutcome } from './interpreter/run.js';
export type { Explanation } from './explain/explain.js';
export type { Link } from './explain/link.js';
export { graphOf, toDot, type GraphEdge, type GraphNode, type TableGraph } from './graph/to-dot.js';
export type { ChainView } from './table/chain-view.js';
export {
  AllocatorState,
  type AllocatorRecord,
  type IsEmpty,
  type Lock,
  type Outcome,
  type Rejection as LoadRejection,
  type TableChange,
} from './table/change.js';
export { DependencyTable, type TableRecords } from './table/dependency-table.js';
export { ROWS_PER_PROGRAM_MAX, fieldsOf, keyOf, nameOf, type Fact, type Row } from './table/row.js';
export { transact } from './table/transact.js';
