/** Clients that write, read back and compare; some stay, some come and go, some go without a word. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@holdfast/nbd-client';
import { blockBytes } from './region.js';

/** @import { NbdConnection } from '@holdfast/nbd-client' */
/** @import { Region } from './region.js' */
/** @import { Tally } from './types.js' */

/** Largest request: as much as copying programs ask for. */
const blocksMax = 64;
const readShare = 0.6;
/** Of the writes, so many are followed by a FLUSH, and so many say FUA. */
const flushShare = 0.02;
const fuaShare = 0.05;
const retryMs = 50;

/**
 * How a client behaves.
 * @typedef {{ uris: readonly string[], tally: Tally, stayMs: () => number, mayFail: () => boolean, until: () => boolean }} Habits
 */

/**
 * Connects again and again until it is told to end. Each lane has one request in flight, in a region of its own.
 * @param {readonly Region[]} regions one a lane
 * @param {Habits} habits `mayFail`: whether somebody may be detaching the disk just now
 */
export async function runClient(regions, habits) {
  const { uris, tally, stayMs, mayFail, until } = habits;
  for (let visits = 0; !until(); visits++) {
    try {
      const connection = await connect(uris[visits % uris.length] ?? '');
      tally.connects++;
      await visit(connection, regions, habits, performance.now() + stayMs());
    } catch (error) {
      if (!mayFail())
        tally.faults.push(`a client failed: ${error instanceof Error ? error.message : String(error)}`);
      tally.cuts++;
      await sleep(retryMs);
    }
  }
}

/**
 * One connection. Every third leaves without a word, with requests under way.
 * @param {NbdConnection} connection
 * @param {readonly Region[]} regions
 * @param {Habits} habits
 * @param {number} leaveAt
 */
async function visit(connection, regions, { tally, until }, leaveAt) {
  const isAbrupt = Math.random() < 1 / 3;
  let isLeaving = false;
  const lanes = regions.map(async (region) => {
    while (!isLeaving && !until() && performance.now() < leaveAt) await oneRequest(connection, region, tally);
    if (!isAbrupt) return;
    isLeaving = true;
    connection.destroy();
  });
  // All of them, so that none goes on with a region that the next visit uses.
  const settled = await Promise.allSettled(lanes);
  const failed = settled.find(({ status }) => status === 'rejected');
  if (!isLeaving && failed?.status === 'rejected') {
    connection.destroy();
    throw failed.reason;
  }
  await (isAbrupt ? undefined : connection.disconnect());
}

/**
 * @param {NbdConnection} connection
 * @param {Region} region
 * @param {Tally} tally
 */
async function oneRequest(connection, region, tally) {
  const count = 1 + Math.floor(Math.random() ** 4 * blocksMax);
  const first = Math.floor(Math.random() * (region.blockCount - count + 1));
  if (Math.random() < readShare) {
    const data = await connection.read(region.offsetOf(first), count * blockBytes);
    const fault = region.check(first, data);
    if (fault !== undefined) tally.faults.push(fault);
    tally.verifiedBytes += data.length;
  } else {
    const { data, written } = region.prepare(first, count);
    await connection.write(region.offsetOf(first), data, { fua: Math.random() < fuaShare });
    written();
    tally.writtenBytes += data.length;
    if (Math.random() < flushShare) await connection.flush();
  }
  tally.requests++;
}

/**
 * Everything in a region once more, at the very end.
 * @param {string} uri
 * @param {readonly Region[]} regions
 * @param {Tally} tally
 */
export async function verifyAll(uri, regions, tally) {
  const connection = await connect(uri);
  for (const region of regions) {
    for (let first = 0; first < region.blockCount; first += blocksMax) {
      const count = Math.min(blocksMax, region.blockCount - first);
      const fault = region.check(first, await connection.read(region.offsetOf(first), count * blockBytes));
      if (fault !== undefined) tally.faults.push(fault);
      tally.verifiedBytes += count * blockBytes;
    }
  }
  await connection.disconnect();
}
