import { faultPoints, type FaultPoint } from '@holdfast/service/fault-points';

/** The steps of a change of a map that clients are served. */
export const fencePoints = (Object.keys(faultPoints) as FaultPoint[]).filter((point) =>
  point.startsWith('fence.'),
);
