/** What is asked of every server. Large requests keep 1–4 MiB in flight: enough to hide a round trip. */

/** @import { Load } from './types.js' */

const kib = 1024;
const mib = 1024 * kib;

/**
 * @param {string} name
 * @param {Partial<Load>} differences
 * @returns {Load}
 */
function load(name, differences) {
  return {
    name,
    tool: 'loadgen',
    unit: 'IOPS',
    op: 'read',
    pattern: 'random',
    blockBytes: 4 * kib,
    depth: 1,
    connections: 1,
    replies: 'simple',
    ...differences,
  };
}

/** @type {Partial<Load>} */
const stream = { unit: 'MB/s', pattern: 'sequential' };

/** @type {readonly Load[]} */
export const loads = [
  load('4k-read-qd1', { depth: 1 }),
  load('4k-read-qd16', { depth: 16 }),
  load('4k-read-qd64', { depth: 64 }),
  load('4k-read-qd16x4', { depth: 16, connections: 4 }),
  load('64k-read-qd16', { ...stream, blockBytes: 64 * kib, depth: 16 }),
  load('256k-read-qd16', { ...stream, blockBytes: 256 * kib, depth: 16 }),
  load('1m-read-qd4', { ...stream, blockBytes: mib, depth: 4 }),
  load('4k-write-qd64', { op: 'write', depth: 64 }),
  load('256k-write-qd16', { ...stream, op: 'write', blockBytes: 256 * kib, depth: 16 }),
];

/** What people run. nbdcopy chooses its own depth and connections; 256 KiB is its default request. */
/** @type {readonly Load[]} */
export const userLoads = [
  load('fio-4k-read-qd32', { tool: 'fio', depth: 32 }),
  load('nbdcopy-to-null', { ...stream, tool: 'nbdcopy', blockBytes: 256 * kib }),
];
