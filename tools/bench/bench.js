/** The course of a run: for each group of loads start the servers, take turns, flush after writes, sum up. */
import path from 'node:path';
import { startContestants, stopContestants } from './contestants.js';
import { makeDirectDevice, removeDirectDevices } from './direct-device.js';
import { Failures } from './failures.js';
import { dropCache, flush, makeImage, removeFile, warm } from './images.js';
import { measure } from './measure.js';
import { rotate, summarise } from './rounds.js';
import { groupsOf, imageBytesOf } from './scenes.js';
import { makeCertificates } from './servers/holdfast.js';
import { exportName } from './servers/start.js';

/** @import { Contestant } from './contestants.js' */
/** @import { Load, Mode, Options, Place, Round, Row, Scene, Server, Transport } from './types.js' */

/** Lets just-in-time compilers and thread pools come to temperature; not counted. */
export const warmUpSeconds = 0.5;

/**
 * @typedef {{ options: Options, servers: Server[], loads: Load[], subject: string,
 *   folder: string, imageFolders: Record<Scene['storage'], string> }} Plan
 * @typedef {{ rows: Row[], settings: Record<string, Partial<Record<Mode, string>>>, failures: Failures }} Outcome
 */

/**
 * @param {Plan} plan
 * @returns {Promise<Outcome>}
 */
export async function runBench(plan) {
  /** @type {Outcome} */
  const outcome = { rows: [], settings: {}, failures: new Failures() };
  const groups = groupsOf(plan.loads);
  for (const [index, group] of groups.entries()) {
    const image = await imageFor(plan, group.scene);
    await runGroup(plan, group, image, outcome);
    const isLast = !groups.slice(index + 1).some(({ scene }) => imagePath(plan, scene) === image);
    if (isLast) images.delete(removeFile(image));
  }
  outcome.rows.sort((a, b) => plan.loads.indexOf(a.load) - plan.loads.indexOf(b.load));
  return outcome;
}

/** Images that are there. */
/** @type {Set<string>} */
const images = new Set();

/**
 * All servers have one image, and so the same pages in the cache: what a write costs depends on how large the pieces
 * are in which the kernel keeps the file there, and that differs from file to file.
 * @param {Plan} plan
 * @param {Scene} scene
 */
async function imageFor(plan, scene) {
  const image = imagePath(plan, scene);
  if (!images.has(image)) await makeImage(image, imageBytesOf(scene, plan.options.sizeBytes));
  images.add(image);
  if (scene.cache === 'warm') await warm(image);
  return image;
}

/**
 * @param {Plan} plan
 * @param {Scene} scene
 */
function imagePath({ options, imageFolders }, scene) {
  return path.join(imageFolders[scene.storage], `${imageBytesOf(scene, options.sizeBytes)}`, exportName);
}

/**
 * @param {Plan} plan
 * @param {ReturnType<typeof groupsOf>[number]} group
 * @param {string} image
 * @param {Outcome} outcome
 */
async function runGroup(plan, { scene, name, loads }, image, outcome) {
  const folder = path.join(plan.folder, name);
  try {
    const place = placeFor(scene, image, plan.folder);
    console.error(`starting servers for the ${name.replace('-', ' ')}`);
    const fail = (/** @type {string} */ who, /** @type {unknown} */ error) =>
      outcome.failures.note(who, error);
    const contestants = await startContestants(plan.servers, place, folder, fail);
    try {
      for (const { server, running } of contestants)
        (outcome.settings[server.name] ??= {})[scene.mode] = running.settings;
      for (const load of loads) {
        for (const transport of plan.options.transports)
          outcome.rows.push(await compare(plan, load, transport, contestants, { scene, place }, outcome));
      }
    } finally {
      await stopContestants(contestants);
    }
  } catch (error) {
    outcome.failures.note(name, error);
  } finally {
    removeDirectDevices();
  }
}

/**
 * @param {Scene} scene
 * @param {string} image
 * @param {string} folder
 * @returns {Omit<Place, 'port' | 'folder'>}
 */
function placeFor({ mode }, image, folder) {
  return {
    image,
    mode,
    ...(mode === 'tls' ? { certificates: makeCertificates(path.join(folder, 'tls')) } : {}),
    ...(mode === 'direct' ? { device: makeDirectDevice(image) } : {}),
  };
}

/**
 * All rounds of one load over one transport.
 * @param {Plan} plan
 * @param {Load} load
 * @param {Transport} transport
 * @param {Contestant[]} contestants
 * @param {{ scene: Scene, place: Omit<Place, 'port' | 'folder'> }} where
 * @param {Outcome} outcome
 * @returns {Promise<Row>}
 */
async function compare(plan, load, transport, contestants, { scene, place }, outcome) {
  const { rounds: count, seconds } = plan.options;
  const sizeBytes = imageBytesOf(scene, plan.options.sizeBytes);
  /** @type {Round[]} */
  const rounds = [];
  console.error(`${load.name} over ${transport}`);
  // Round 0 warms up.
  for (let number = 0; number <= count; number++) {
    /** @type {Round} */
    const round = {};
    for (const { server, running } of rotate(contestants, number)) {
      const run = { seconds: number === 0 ? warmUpSeconds : seconds, seed: number, sizeBytes };
      try {
        if (scene.cache === 'cold') await coolDown(place);
        round[server.name] = await measure(load, running, transport, run);
      } catch (error) {
        outcome.failures.note(`${server.name}, ${load.name} over ${transport}`, error);
        for (const daemon of running.daemons.filter((one) => one.exited()))
          outcome.failures.note(daemon.name, new Error(`has ended by itself. ${daemon.complaint()}`));
      }
      await (load.op === 'read' ? undefined : flush(place.image));
    }
    if (number > 0) rounds.push(round);
  }
  return { load, transport, rounds, ...summarise(plan.subject, rounds) };
}

/** @param {Omit<Place, 'port' | 'folder'>} place */
async function coolDown({ image, device }) {
  if (device !== undefined) await dropCache(device);
  await dropCache(image);
}
