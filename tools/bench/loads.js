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
    scene: 'warm',
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
/** @type {Partial<Load>} */
const wide = { ...stream, blockBytes: 256 * kib, depth: 16 };
/** @type {Partial<Load>} */
const widest = { ...stream, blockBytes: mib, depth: 4 };
/** What nbdcopy does unless told otherwise: 64 requests of 256 KiB on each of four connections. */
/** @type {Partial<Load>} */
const copy = { ...stream, tool: 'nbdcopy', blockBytes: 256 * kib, depth: 64, connections: 4 };

/** @type {readonly Load[]} */
export const loads = [
  load('4k-read-qd1', { depth: 1 }),
  load('4k-read-qd16', { depth: 16 }),
  load('4k-read-qd64', { depth: 64 }),
  load('4k-read-qd64-structured', { depth: 64, replies: 'offered' }),
  load('4k-read-qd16x4', { depth: 16, connections: 4 }),
  load('4k-read-qd16x16', { depth: 16, connections: 16 }),
  load('64k-read-qd16', { ...stream, blockBytes: 64 * kib, depth: 16 }),
  load('256k-read-qd16', wide),
  load('1m-read-qd4', widest),
  load('fio-4k-read-qd32', { tool: 'fio', depth: 32 }),
  load('nbdcopy-to-null', copy),
  load('4k-mix-qd64', { op: 'mix', depth: 64 }),
  load('4k-write-qd64', { op: 'write', depth: 64 }),
  load('256k-write-qd16', { ...wide, op: 'write' }),
  load('1m-write-qd4', { ...widest, op: 'write' }),
  load('nbdcopy-4k-qd64-tls', { scene: 'tls', tool: 'nbdcopy', pattern: 'sequential', depth: 64 }),
  load('nbdcopy-to-null-tls', { ...copy, scene: 'tls' }),
  load('4k-read-qd64-tmpfs', { scene: 'tmpfs', depth: 64 }),
  load('256k-read-qd16-tmpfs', { ...wide, scene: 'tmpfs' }),
  load('4k-write-qd64-tmpfs', { scene: 'tmpfs', op: 'write', depth: 64 }),
  load('4k-read-qd32-cold', { scene: 'cold', depth: 32 }),
  load('4k-read-qd32-direct', { scene: 'direct', depth: 32 }),
  load('1m-read-qd4-direct', { ...widest, scene: 'direct' }),
];
