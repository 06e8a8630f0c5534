import { faultPoints, type FaultPoint } from '@holdfast/service/fault-points';

/** Who is killed with -9 in the middle of an upgrade. */
export const upgradeVictims = ['the old worker', 'the new worker'] as const;
export type UpgradeVictim = (typeof upgradeVictims)[number];

/** What becomes of the clients that are connected. */
export type Fate = 'go on' | 'are cut off';

/** The steps of an upgrade, each with what a kill at it does to clients: only the death of who serves them cuts them off. */
export const upgradeSteps: Readonly<Partial<Record<FaultPoint, Readonly<Record<UpgradeVictim, Fate>>>>> = {
  'upgrade.rested': { 'the old worker': 'are cut off', 'the new worker': 'go on' },
  'upgrade.passed': { 'the old worker': 'are cut off', 'the new worker': 'go on' },
  'upgrade.received': { 'the old worker': 'are cut off', 'the new worker': 'go on' },
  'upgrade.committed': { 'the old worker': 'are cut off', 'the new worker': 'are cut off' },
  'upgrade.served': { 'the old worker': 'go on', 'the new worker': 'are cut off' },
  'upgrade.moved': { 'the old worker': 'go on', 'the new worker': 'are cut off' },
};

export const upgradePoints = (Object.keys(faultPoints) as FaultPoint[]).filter((point) =>
  point.startsWith('upgrade.'),
);
