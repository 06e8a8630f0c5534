/** What the files beside this one share: finding a program, and waiting until a server answers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopDaemon } from '../processes.js';

/** @import { Certificates, Daemon, Place, RunningServer, Transport } from '../types.js' */

/** Nobody needs this long, even on a busy machine. */
const readyMsMax = 30_000;

/** The export is named as the file is, by every server that cares about names. */
export const exportName = 'disk.img';

/**
 * @param {string} program
 * @param {string} debianPackage
 */
export function missingProgram(program, debianPackage) {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  return found ? undefined : `${program} is not installed (apt-get install ${debianPackage})`;
}

/**
 * The first thing in a program's words that looks like a version.
 * @param {string} program
 * @param {string} argument
 */
export function versionOf(program, argument) {
  return /\d+(\.\d+)+/.exec(execFileSync(program, [argument], { encoding: 'utf8' }))?.[0] ?? 'unknown';
}

/** @param {Place} place */
export function socketPath(place) {
  return path.join(place.folder, 'nbd.sock');
}

/**
 * What the server is to open: the image, or the device over it.
 * @param {Place} place
 */
export function backingOf(place) {
  return place.mode === 'direct' && place.device !== undefined ? place.device : place.image;
}

/**
 * @param {Place} place
 * @returns {Record<Transport, string>}
 */
export function urisOf(place) {
  const { port, certificates } = place;
  return withCertificates(certificates, {
    tcp: `nbd://127.0.0.1:${port}/${exportName}`,
    unix: `nbd+unix:///${exportName}?socket=${socketPath(place)}`,
  });
}

/**
 * The same for clients that use TLS, as nbd_connect_uri(3) takes it.
 * @param {Certificates | undefined} certificates
 * @param {Record<Transport, string>} uris
 * @returns {Record<Transport, string>}
 */
export function withCertificates(certificates, uris) {
  if (certificates === undefined) return uris;
  const secure = (/** @type {string} */ text) => {
    const uri = text.replace(/^nbds?/, 'nbds');
    return `${uri}${uri.includes('?') ? '&' : '?'}tls-certificates=${certificates.client}`;
  };
  return { tcp: secure(uris.tcp), unix: secure(uris.unix) };
}

/**
 * Waits until `probe` has something to say.
 * @template T
 * @param {string} name
 * @param {() => Promise<T | undefined> | T | undefined} probe
 * @param {number} [msMax]
 * @returns {Promise<T>}
 */
export async function patiently(name, probe, msMax = readyMsMax) {
  const deadline = performance.now() + msMax;
  while (performance.now() < deadline) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    await sleep(20);
  }
  throw new Error(`${name} was not ready after ${msMax / 1000} s`);
}

/**
 * The same, but fails at once when the server ends instead.
 * @template T
 * @param {Daemon} daemon
 * @param {() => Promise<T | undefined> | T | undefined} probe
 * @param {number} [msMax]
 * @returns {Promise<T>}
 */
export function ready(daemon, probe, msMax) {
  const probeOrFail = async () => {
    const answer = await probe();
    if (answer === undefined && daemon.exited())
      throw new Error(`${daemon.name} did not start: ${daemon.complaint()}`);
    return answer;
  };
  return patiently(daemon.name, probeOrFail, msMax);
}

/**
 * Both transports of a server that has one process for each.
 * @param {Place} place
 * @param {string} settings
 * @param {Record<Transport, Daemon>} daemons
 * @returns {Promise<RunningServer>}
 */
export async function bothReady(place, settings, { tcp, unix }) {
  try {
    await ready(tcp, () => answersOnTcp(place));
    await ready(unix, () => answersOnUnix(place));
  } catch (error) {
    await Promise.all([tcp, unix].map(stopDaemon));
    throw error;
  }
  return { uris: urisOf(place), settings, daemons: [tcp, unix] };
}

/**
 * True once a connection is taken, undefined until then.
 * @param {{ port: number, host: string } | { path: string }} address
 * @returns {Promise<true | undefined>}
 */
function answers(address) {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on('error', () => resolve(undefined));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** @param {Place} place */
export function answersOnTcp(place) {
  return answers({ host: '127.0.0.1', port: place.port });
}

/** @param {Place} place */
export function answersOnUnix(place) {
  return answers({ path: socketPath(place) });
}
