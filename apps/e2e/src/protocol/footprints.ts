import { eventually } from '../support/eventually.js';
import type { Holdfast } from '../support/holdfast.js';
import { openFds, osThreads } from '../support/process-facts.js';

/** What a process has of the kernel: descriptors and threads. */
export interface Footprint {
  readonly fds: number;
  readonly tasks: number;
}

/** The footprints of the services, by name. */
export function footprints(holdfast: Holdfast): Record<string, Footprint> {
  const pids = [...holdfast.pids()];
  return Object.fromEntries(
    pids.map(([name, pid]) => [name, { fds: openFds(pid).length, tasks: osThreads(pid) }]),
  );
}

/** The footprints once nothing moves any more: calls to the services have connections of their own. */
export async function settled(holdfast: Holdfast): Promise<Record<string, Footprint>> {
  let last = '';
  let same = 0;
  return await eventually('the processes to settle', () => {
    const now = footprints(holdfast);
    same = JSON.stringify(now) === last ? same + 1 : 0;
    last = JSON.stringify(now);
    return same >= 10 ? now : undefined;
  });
}
