import { faultPoints, type FaultPoint } from '@holdfast/service/fault-points';

/** The steps of loading, running and unloading a program, and of freeing a map. */
export const programPoints = (Object.keys(faultPoints) as FaultPoint[]).filter(
  (point) => point.startsWith('program.') || point.startsWith('map.'),
);

/** What is killed at a step, and whether that has happened when it was killed there: the step is before or after the record. */
export const kills = [
  { point: 'program.verified', does: 'load', isDone: false },
  { point: 'program.loaded', does: 'load', isDone: true },
  { point: 'program.ran', does: 'run', isDone: false },
  { point: 'program.recorded', does: 'run', isDone: true },
  { point: 'program.walked', does: 'unload', isDone: false },
  { point: 'program.unloaded', does: 'unload', isDone: true },
  { point: 'map.emptying', does: 'free', isDone: false },
  { point: 'map.walked', does: 'free', isDone: false },
  { point: 'map.freed', does: 'free', isDone: true },
] as const satisfies readonly {
  readonly point: FaultPoint;
  readonly does: 'load' | 'run' | 'unload' | 'free';
  readonly isDone: boolean;
}[];
