/** What the files beside this one share: finding a program, and waiting until a server answers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** @import { Daemon, Place, Transport } from '../types.js' */

/** A Node process with migrations to run needs seconds on a busy machine; nobody needs this long. */
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
 * @param {Place} place
 * @returns {Record<Transport, string>}
 */
export function urisOf(place) {
  return {
    tcp: `nbd://127.0.0.1:${place.port}/${exportName}`,
    unix: `nbd+unix:///${exportName}?socket=${socketPath(place)}`,
  };
}

/**
 * Waits until `probe` has something to say.
 * @template T
 * @param {Daemon} daemon
 * @param {() => Promise<T | undefined> | T | undefined} probe
 * @returns {Promise<T>}
 */
export async function ready(daemon, probe) {
  const deadline = performance.now() + readyMsMax;
  while (performance.now() < deadline) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (daemon.exited()) throw new Error(`${daemon.name} did not start: ${daemon.complaint()}`);
    await sleep(20);
  }
  throw new Error(`${daemon.name} was not ready after ${readyMsMax / 1000} s: ${daemon.complaint()}`);
}

/**
 * True once a connection is taken, undefined until then.
 * @param {{ port: number, host: string } | { path: string }} address
 * @returns {Promise<true | undefined>}
 */
export function answers(address) {
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
