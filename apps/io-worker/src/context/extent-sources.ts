import { assert } from '@holdfast/foundation';
import { baseAllocation, qemuAllocationDepth } from '@holdfast/nbd-protocol';
import { allocationSource } from './allocation-source.js';
import { depthSource } from './depth-source.js';
import type { ExtentSource } from './extent-source.js';

const sources: ReadonlyMap<string, ExtentSource> = new Map([
  [baseAllocation.name, allocationSource],
  [qemuAllocationDepth.name, depthSource],
]);

/** Where the extents of a metadata context come from; every one that is defined has a source. */
export function extentSourceOf(contextName: string): ExtentSource {
  const source = sources.get(contextName);
  assert(source !== undefined, `the metadata context ${contextName} has a source`);
  return source;
}
