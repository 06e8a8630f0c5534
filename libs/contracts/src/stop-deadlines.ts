/**
 * How long the requests under way may take to finish when the worker stops, unless HOLDFAST_WORKER_DRAIN_MS says
 * otherwise. Also what the other services may take, who have nothing to configure.
 */
export const DRAIN_MS_DEFAULT = 10_000;

/**
 * What a service may take to stop beside its drain, before it kills itself: closing gRPC, joining threads, the
 * database.
 */
export const STOP_MARGIN_MS = 10_000;

/** How much longer `serve` waits before it kills a service that should have killed itself. */
export const KILL_MARGIN_MS = 5_000;

/** How long a service may take to stop before it kills itself: longer than any drain inside it. */
export function stopDeadlineMs(drainMs: number): number {
  return drainMs + STOP_MARGIN_MS;
}

/** How long the supervisor waits for a service to stop before it kills it: longer than the service itself waits. */
export function killDeadlineMs(drainMs: number): number {
  return stopDeadlineMs(drainMs) + KILL_MARGIN_MS;
}
