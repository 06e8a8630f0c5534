/** The server that a transmission is fuzzed against: its export, its buffers and what goes wrong there. */
import { OFFER_ALL, OFFER_MORE } from '../../../libs/nbd-protocol/dist/testing/memory-driver.js';
import { pattern } from '../../../libs/nbd-protocol/dist/testing/wire.js';
import { Random } from '../random.js';
import { Setup } from './setup.js';

/** @import { MemoryDriverOptions, Operation } from '../../../libs/nbd-protocol/dist/testing/memory-driver.js' */

export const SETUP_BYTES = 24;
export const PAYLOAD_MAXIMUM = 6000;
export const CONTEXTS = [
  { id: 7, name: 'base:allocation' },
  { id: 0xffff_ffff, name: 'qemu:allocation-depth' },
];
const SIZE_MAX = 8192;
const IMAGE = pattern(SIZE_MAX);
const READ_ONLY = 1 << 1;
const WRITE_ZEROES = 1 << 6;
/** EIO, ENOSPC, EINVAL, EDQUOT, EOPNOTSUPP and one that NBD does not know. */
const ERRNOS = [5, 28, 22, 122, 95, 110];

/**
 * Reads the bytes in front of an input.
 *
 * @param {Uint8Array} input
 */
export function subjectOf(input) {
  const setup = new Setup(input);
  const replyMode = setup.pick(/** @type {const} */ (['simple', 'structured', 'extended']));
  const sizeBytes = setup.pick([SIZE_MAX, SIZE_MAX, SIZE_MAX, 4096, 0, 1, 511, 1000, 4097]);
  const offered = setup.pick([0xffff & ~READ_ONLY, 0xffff & ~READ_ONLY, 0xffff, setup.uint16()]);
  const blockSizeMinimum = setup.pick([1, 1, 1, 2, 512]);
  const contexts = setup.pick([
    CONTEXTS,
    CONTEXTS.slice(0, 1),
    CONTEXTS.slice(1),
    [...CONTEXTS].reverse(),
    [],
  ]);
  const buffers = {
    inputBytes: 64 + 32 * setup.uint8(),
    outputBytes: 256 + 32 * setup.uint8(),
    sendThreshold: 1 + 36 * setup.uint8(),
    writeThreshold: 1 + 36 * setup.uint8(),
    transferMinimum: setup.pick([Infinity, Infinity, 0, 1, 300, 1000, 4096]),
    extentBytesMax: setup.pick([Infinity, Infinity, 1, 13, 512, 600]),
  };
  const chunkSeed = setup.uint16();
  const faults = faultsOf(setup.uint8(), setup.uint8());
  const shuttingDown = setup.uint8() > 250;
  const allocation = states(setup.uint16(), sizeBytes);
  const depth = states(setup.uint16(), sizeBytes);
  /** Of what comes, so much comes with the connection. */
  const preloadBytes = Math.min(16 * setup.uint8(), buffers.inputBytes);
  const subject = {
    replyMode,
    transmissionFlags: (offered & (OFFER_ALL | READ_ONLY | OFFER_MORE[replyMode])) | WRITE_ZEROES,
    blockSizeMinimum,
    payloadMaximum: PAYLOAD_MAXIMUM,
    metaContexts: replyMode === 'simple' ? [] : contexts,
    states: { 'base:allocation': allocation, 'qemu:allocation-depth': depth },
    // What is said to be zero is zero, as files are.
    image: IMAGE.subarray(0, sizeBytes).map((byte, at) => (((allocation[at] ?? 0) & 2) === 0 ? byte : 0)),
    shuttingDown,
  };
  return { subject, buffers, chunkSeed, faults, preloadBytes };
}

/**
 * Every so many-th operation on the disk fails, most of the time none.
 *
 * @param {number} choice
 * @param {number} which
 */
function faultsOf(choice, which) {
  return choice < 192 ? undefined : { every: 1 + (choice & 15), errno: ERRNOS[which % ERRNOS.length] ?? 5 };
}

/**
 * Runs of one state, which is what files have; or so many short ones that no reply can tell them all.
 *
 * @param {number} seed 0: one run
 * @param {number} sizeBytes
 */
function states(seed, sizeBytes) {
  const random = new Random(seed);
  const bytes = new Uint8Array(sizeBytes);
  if (seed === 0) return bytes;
  const isDense = random.oneIn(4);
  for (let at = 0; at < sizeBytes;) {
    const end =
      at + (isDense ? 1 + random.below(20) : random.oneIn(2) ? 512 * random.below(9) : random.below(2000));
    bytes.fill(random.below(4), at, end);
    at = end;
  }
  return bytes;
}

/**
 * Fails when the machine asks for something outside of the export, or for more than it may.
 *
 * @param {number} sizeBytes
 * @param {Required<Pick<MemoryDriverOptions, 'inputBytes' | 'outputBytes'>>} buffers
 * @returns {(operation: Operation) => void}
 */
export function boundsGuard(sizeBytes, { inputBytes, outputBytes }) {
  const longest = { read: outputBytes, write: inputBytes, transfer: PAYLOAD_MAXIMUM };
  return ({ step, fileOffset, length }) => {
    if (fileOffset === undefined || length === undefined) return;
    if (!(fileOffset >= 0 && length > 0 && fileOffset + length <= sizeBytes)) {
      throw new Error(`a ${step} lies within the export: ${fileOffset}+${length} of ${sizeBytes}`);
    }
    const most = /** @type {Record<string, number>} */ (longest)[step] ?? Infinity;
    if (length > most) throw new Error(`a ${step} is within its bound: ${length} of ${most}`);
  };
}
