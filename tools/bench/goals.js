/** What holdfast is to reach, as ratios to the best peer of the same round: one line a goal. Nothing fails by them. */

/** @import { Goal, Load, Ratio, Row, Verdict } from './types.js' */

const kib = 1024;

/** @param {number} limit */
const both = (limit) => ({ unix: limit, tcp: limit });

/**
 * Our own generator against servers that have the image in the page cache: what the goals speak of, unless they say more.
 * @param {Load} load
 */
const isOwn = ({ tool, scene }) => tool === 'loadgen' && scene === 'warm';
/** @param {Load} load */
const isSmall = (load) => isOwn(load) && load.blockBytes === 4 * kib;

/** @type {readonly Goal[]} */
export const goals = [
  {
    name: '4k reads, QD 16 and more',
    of: 'speed',
    limit: { unix: 2.5, tcp: 3 },
    covers: (load) => isSmall(load) && load.op === 'read' && load.depth >= 16,
  },
  {
    name: '4k reads, QD 1',
    of: 'speed',
    limit: both(1.2),
    covers: (load) => isSmall(load) && load.op === 'read' && load.depth === 1,
  },
  {
    name: '4k writes, QD 64',
    of: 'speed',
    limit: both(1.2),
    covers: (load) => isSmall(load) && load.op === 'write' && load.depth === 64,
  },
  { name: '4k mix', of: 'speed', limit: both(2), covers: (load) => isSmall(load) && load.op === 'mix' },
  {
    name: 'reads of 64k and more',
    of: 'speed',
    limit: { unix: 1.5, tcp: 1.1 },
    covers: (load) => isOwn(load) && load.op === 'read' && load.blockBytes >= 64 * kib,
  },
  {
    name: 'writes of 256k and more',
    of: 'speed',
    limit: both(1.1),
    covers: (load) => isOwn(load) && load.op === 'write' && load.blockBytes >= 256 * kib,
  },
  { name: 'cold reads', of: 'speed', limit: both(1.1), covers: (load) => load.scene === 'cold' },
  {
    name: 'nbdcopy',
    of: 'speed',
    limit: both(1.2),
    covers: (load) => load.tool === 'nbdcopy' && load.scene === 'warm',
  },
  { name: 'CPU of a 4k request', of: 'cpu', limit: both(0.5), covers: isSmall },
];

/**
 * Every goal with every row that it covers.
 * @param {readonly Row[]} rows
 * @returns {{ goal: Goal, row: Row, limit: number, ratio: Ratio | undefined, verdict: Verdict }[]}
 */
export function judge(rows) {
  return goals.flatMap((goal) =>
    rows
      .filter((row) => goal.covers(row.load))
      .map((row) => {
        const limit = goal.limit[row.transport];
        const ratio = goal.of === 'speed' ? row.ratio : row.cpuRatio;
        return { goal, row, limit, ratio, verdict: verdictOf(goal.of, limit, ratio) };
      }),
  );
}

/**
 * How many of each, in a line.
 * @param {readonly Row[]} rows
 */
export function countVerdicts(rows) {
  const verdicts = judge(rows).map(({ verdict }) => verdict);
  /** @type {Verdict[]} */
  const all = ['met', 'within noise', 'missed', 'not measured'];
  return all.map((verdict) => `${verdicts.filter((one) => one === verdict).length} ${verdict}`).join(', ');
}

/**
 * Within noise: some rounds are on one side of the goal and some on the other. With five rounds, the range of all is
 * where the true median lies with 94 % certainty; what lies in it, this run cannot tell from it.
 * @param {Goal['of']} of
 * @param {number} limit
 * @param {Ratio | undefined} ratio
 * @returns {Verdict}
 */
export function verdictOf(of, limit, ratio) {
  if (ratio === undefined) return 'not measured';
  const { min, max } = ratio;
  if (of === 'speed') return min >= limit ? 'met' : max < limit ? 'missed' : 'within noise';
  return max <= limit ? 'met' : min > limit ? 'missed' : 'within noise';
}
