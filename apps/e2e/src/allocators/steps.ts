import { faultPoints, type FaultPoint } from '@holdfast/service/fault-points';

/** The steps of creating and of destroying an allocator. */
export const allocatorPoints = (Object.keys(faultPoints) as FaultPoint[]).filter((point) =>
  point.startsWith('allocator.'),
);

/** Those of creating: at each the allocator is wanted, and comes about. */
export const createPoints = ['allocator.intended', 'allocator.reserved', 'allocator.active'] as const;

/** Those of destroying: nothing brings it back. */
export const destroyPoints = ['allocator.draining', 'allocator.sealed', 'allocator.released'] as const;
