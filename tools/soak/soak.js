/** The course of a soak: laps of load, with a rest after each at which holdfast is looked at. */
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuildError, runLoadgen } from '../bench/loadgen.js';
import { loads } from '../bench/loads.js';
import { runClient, verifyAll } from './client.js';
import { startInstance } from './instance.js';
import { blockBytes, Region } from './region.js';
import { samplesMin, trendsOf } from './trends.js';

/** @import { Load } from '../bench/types.js' */
/** @import { Footprints, Outcome, Tally } from './types.js' */

/** @typedef {Awaited<ReturnType<typeof startInstance>>} Instance */

const imageBytes = 64 << 20;
/** At a rest nothing is measured but what is left over, so most of the time is load. */
const lapSecondsMax = 20;
const lapSecondsMin = 3;
/** What a rest takes, about. */
const restSeconds = 1;
/** The first laps make what stays: pools, caches, compiled code. They are no samples. */
const warmUpLaps = 1;

const disks = { steady: 'steady.img', visited: 'visited.img', detached: 'detached.img' };

/** Requests in flight of one client. */
const lanes = 4;
const residents = 2;
const visitors = 6;

const burstLoad = /** @type {Load} */ (loads.find(({ name }) => name === '4k-read-qd16x4'));

/**
 * @param {{ minutes: number, folder: string, memorySlackBytes: number, setUp: boolean, say: (line: string) => void }} plan
 * @returns {Promise<Outcome>}
 */
export async function soak({ minutes, folder, memorySlackBytes, setUp, say }) {
  const images = Object.values(disks).map((name) => makeImage(path.join(folder, name)));
  const holdfast = await startInstance(folder, images, setUp);
  /** @type {Tally} */
  const tally = {
    connects: 0,
    cuts: 0,
    requests: 0,
    verifiedBytes: 0,
    writtenBytes: 0,
    attaches: 0,
    faults: [],
  };
  const crowds = crowdsOf(holdfast);
  /** @type {Footprints[]} */
  const samples = [];
  const startedAt = performance.now();
  const endAt = startedAt + minutes * 60_000;
  const lapSeconds = Math.min(
    lapSecondsMax,
    Math.max(lapSecondsMin, (minutes * 60) / (samplesMin + 2) - restSeconds),
  );
  for (let lap = 0; performance.now() < endAt || samples.length < samplesMin; lap++) {
    await runLap(holdfast, crowds, tally, lapSeconds);
    const found = await holdfast.atRest();
    const imbalance = await holdfast.imbalance();
    if (imbalance !== undefined) tally.faults.push(imbalance);
    if (lap >= warmUpLaps) samples.push(found);
    say(`${describeLap(lap, startedAt, tally)}: ${describeFootprints(found)}`);
    if (tally.faults.length > 0 || holdfast.exited()) break;
  }
  if (holdfast.exited()) tally.faults.push(`holdfast ended: ${holdfast.complaint()}`);
  else await verifyCrowds(crowds, tally);
  holdfast.close();
  const trends = samples.length < samplesMin ? [] : trendsOf(samples, memorySlackBytes);
  const isFlat = trends.length > 0 && trends.every((trend) => trend.isFlat) && tally.faults.length === 0;
  return { minutes: (performance.now() - startedAt) / 60_000, laps: samples.length, tally, trends, isFlat };
}

/**
 * @param {ReturnType<typeof crowdsOf>} crowds
 * @param {Tally} tally
 */
async function verifyCrowds(crowds, tally) {
  try {
    for (const { uris, clients } of crowds) await verifyAll(uris[0] ?? '', clients.flat(), tally);
  } catch (error) {
    tally.faults.push(
      `the last look at all disks: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @param {string} file */
function makeImage(file) {
  writeFileSync(file, '');
  truncateSync(file, imageBytes);
  return file;
}

/**
 * Who uses which disk, and for how long at a time. Regions last from lap to lap.
 * @param {Instance} holdfast
 */
function crowdsOf({ urisOf }) {
  const minute = () => 60_000;
  const moment = () => Math.random() * 400;
  return [
    { uris: urisOf(disks.steady), clients: regionsFor(residents), stayMs: minute, isDetached: false },
    { uris: urisOf(disks.visited), clients: regionsFor(visitors), stayMs: moment, isDetached: false },
    { uris: urisOf(disks.detached), clients: regionsFor(residents), stayMs: minute, isDetached: true },
  ];
}

/**
 * The disk in equal parts: one for each lane of each client.
 * @param {number} clients
 */
function regionsFor(clients) {
  const count = clients * lanes;
  const blocks = Math.floor(imageBytes / blockBytes / count);
  const regions = Array.from({ length: count }, (_, i) => new Region(i, i * blocks * blockBytes, blocks));
  return Array.from({ length: clients }, (_, i) => regions.slice(i * lanes, (i + 1) * lanes));
}

/**
 * @param {Instance} holdfast
 * @param {ReturnType<typeof crowdsOf>} crowds
 * @param {Tally} tally
 * @param {number} seconds
 */
async function runLap(holdfast, crowds, tally, seconds) {
  const endAt = performance.now() + seconds * 1000;
  const until = () => performance.now() >= endAt || tally.faults.length > 0;
  const running = crowds.flatMap(({ uris, clients, stayMs, isDetached }) =>
    clients.map((regions) => runClient(regions, { uris, tally, stayMs, mayFail: () => isDetached, until })),
  );
  await Promise.all([...running, detachAndAttach(holdfast, tally, until), burst(holdfast, tally)]);
}

/**
 * @param {Instance} holdfast
 * @param {Tally} tally
 * @param {() => boolean} until
 */
async function detachAndAttach(holdfast, tally, until) {
  while (!until()) {
    await sleep(500 + Math.random() * 1000);
    try {
      await holdfast.detach(disks.detached);
      await sleep(Math.random() * 100);
      await holdfast.attach(disks.detached);
      tally.attaches++;
    } catch (error) {
      tally.faults.push(`detach and attach: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/**
 * One second of as many small reads as four connections can do, by the generator of the bench; without a compiler there
 * is none.
 * @param {Instance} holdfast
 * @param {Tally} tally
 */
async function burst(holdfast, tally) {
  const uri = holdfast.urisOf(disks.steady)[1] ?? '';
  try {
    const { requests } = await runLoadgen(burstLoad, uri, 1, Math.floor(Math.random() * 1e9));
    tally.requests += requests;
  } catch (error) {
    if (!(error instanceof BuildError)) tally.faults.push(`a burst of reads: ${String(error)}`);
  }
}

/**
 * @param {number} lap
 * @param {number} startedAt
 * @param {Tally} tally
 */
function describeLap(lap, startedAt, { connects, requests, attaches }) {
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  return `lap ${lap + 1}, ${minutes} min, ${connects} connects, ${requests} requests, ${attaches} attaches`;
}

/** @param {Footprints} footprints */
function describeFootprints(footprints) {
  return Object.entries(footprints)
    .map(
      ([service, { memoryBytes, descriptors, threads }]) =>
        `${service} ${Math.round(memoryBytes / 2 ** 20)} MiB, ${descriptors} fds, ${threads} threads`,
    )
    .join('; ');
}
