import { randomUUID } from 'node:crypto';

/** Shown by every service and by `holdfast --version`; one version for the whole repository. */
export const HOLDFAST_VERSION = '0.1.0';

/** This process among all that ever were: a pid may come again, an instance does not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly instance: string;
  readonly startTime: Date;
}

export function processIdentity(): ProcessIdentity {
  return { pid: process.pid, instance: randomUUID(), startTime: new Date() };
}
