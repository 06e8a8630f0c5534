/** Where a run took place. */
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileSystemOf } from './images.js';

/** @import { Machine, Options } from './types.js' */

/** Above this, somebody else is using a core for a good part of the time. */
const loadAverageMax = 0.5;

/**
 * @param {Pick<Options, 'imageFolder' | 'tmpfsFolder'>} options
 * @returns {Machine}
 */
export function describeMachine({ imageFolder, tmpfsFolder }) {
  return {
    processor: cpus()[0]?.model ?? 'unknown processor',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    fileSystems: { disk: typeAt(imageFolder), tmpfs: typeAt(tmpfsFolder) },
  };
}

/** @param {string} folder */
function typeAt(folder) {
  try {
    return fileSystemOf(folder);
  } catch {
    return 'none';
  }
}

/** A warning for a machine that is not ours alone; undefined when it is. */
export function busyness() {
  const load = loadavg()[0] ?? 0;
  if (load < loadAverageMax) return undefined;
  return `The machine was busy before we began (load average ${load.toFixed(1)}): trust the ratios, not the figures.`;
}
