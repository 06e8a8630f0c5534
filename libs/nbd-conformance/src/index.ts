export { check, type CheckOptions, type CheckResult } from './check.js';
export * from './limits.js';
export { probes } from './probes/all.js';
export type { Probe } from './probe.js';
export type { Region } from './server/server.js';
export type { Evidence, Outcome, Strength, Verdict } from './verdict.js';
