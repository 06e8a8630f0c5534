import type { StepCode } from './step.js';

/** In place of a step: the machine goes on by itself, or no report is awaited. */
export const NO_STEP = -1;
export type NoStep = typeof NO_STEP;

/** In place of a step: the answer to the request is queued, the next request can be taken up. */
export const ANSWERED = -2;

/** In place of a step: the connection cannot go on (T10). */
export const BROKEN = -3;

/** What the part that answers a request wants next. */
export type Progress = StepCode | NoStep | typeof ANSWERED | typeof BROKEN;
