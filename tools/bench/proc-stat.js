/** What the kernel says about processes: who descends from whom, and how much CPU time they had. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server that forks for each connection needs a moment to bury its children. */
const scanPauseMs = 20;
const scansMax = 50;

/**
 * CPU time, in seconds, of these processes and all their descendants, alive or already waited for. A child that ends
 * during a scan would be missed, or counted twice with its parent: so a scan counts only when the ones before and
 * after it saw the same family.
 * @param {number[]} pids
 */
export async function cpuSecondsOf(pids) {
  let [before, scan] = [familyOf(pids), familyOf(pids)];
  for (let scans = 2; scans < scansMax; scans++) {
    await sleep(scanPauseMs);
    const after = familyOf(pids);
    if (sameKeys(before, scan) && sameKeys(scan, after)) break;
    [before, scan] = [scan, after];
  }
  const stats = [...scan.values()];
  return stats.reduce((sum, stat) => sum + stat.ticks + stat.childTicks, 0) / ticksPerSecond();
}

/**
 * @param {Map<number, unknown>} one
 * @param {Map<number, unknown>} other
 */
function sameKeys(one, other) {
  return one.size === other.size && [...one.keys()].every((key) => other.has(key));
}

/** CPU time, in seconds, of our own children that have ended. */
export function endedChildrenCpuSeconds() {
  return (readStat(process.pid)?.childTicks ?? 0) / ticksPerSecond();
}

/**
 * These processes and all their descendants.
 * @param {number[]} pids
 */
export function familyOf(pids) {
  const everyone = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => readStat(Number(entry)) ?? []);
  /** @type {Map<number, (typeof everyone)[number]>} */
  const family = new Map();
  let next = everyone.filter((stat) => pids.includes(stat.pid));
  while (next.length > 0) {
    for (const stat of next) family.set(stat.pid, stat);
    next = everyone.filter((stat) => family.has(stat.parent) && !family.has(stat.pid));
  }
  return family;
}

/**
 * Whether a process still runs. Its start time tells it from a successor with the same number.
 * @param {number} pid
 * @param {string} [started]
 */
export function isRunning(pid, started) {
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z' && (started === undefined || stat.started === started);
}

/**
 * /proc/<pid>/stat; fields are numbered as in proc_pid_stat(5). The second, the command, may hold spaces and
 * brackets, so the others count from its last bracket.
 * @param {number} pid
 */
function readStat(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (/** @type {number} */ number) => fields[number - 3] ?? '';
  return {
    pid,
    state: field(3),
    parent: Number(field(4)),
    ticks: Number(field(14)) + Number(field(15)),
    childTicks: Number(field(16)) + Number(field(17)),
    started: field(22),
  };
}

/** @type {number | undefined} */
let ticksASecond;

function ticksPerSecond() {
  ticksASecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticksASecond;
}
