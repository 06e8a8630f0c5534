export { Checker } from './audit/checker.js';
export { Observer, auditRecord, type AuditRecord, type Observation, type Operation } from './audit/trail.js';
export type { Effects, Field } from './effects.js';
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
  type Rejection,
  type TableChange,
} from './table/change.js';
export { DependencyTable, type TableRecords } from './table/dependency-table.js';
export { ROWS_PER_PROGRAM_MAX, fieldsOf, keyOf, nameOf, type Fact, type Row } from './table/row.js';
export { transact } from './table/transact.js';
