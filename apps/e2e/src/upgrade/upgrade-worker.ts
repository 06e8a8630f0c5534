import { supervisorV1, type workerV1 } from '@holdfast/contracts';
import type { Holdfast } from '../support/holdfast.js';
import { ask } from '../support/instance-facts.js';
import { childrenOf, titleOf } from '../support/process-facts.js';

const DEADLINE_MS = 60_000;

/** Has the worker replaced. @returns the new one @throws HoldfastError UPGRADE_FAILED */
export function upgradeWorker({ layout }: Holdfast): Promise<workerV1.Worker> {
  return ask(supervisorV1.SupervisorServiceService, layout.supervisorSocket, (client) =>
    client.upgradeWorker({}, { deadlineMs: DEADLINE_MS }),
  );
}

/** Process ids of all workers, of which there are two during an upgrade. */
export function workersOf(holdfast: Holdfast): number[] {
  return childrenOf(holdfast.pid).filter((pid) => titleOf(pid) === 'holdfast io-worker');
}
