/** The load generator: built when its sources are newer than it, run against an NBD URI. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { runTool, startDaemon } from './processes.js';

/** @import { Daemon, Load } from './types.js' */

const sources = path.join(import.meta.dirname, 'loadgen');
const dist = path.join(import.meta.dirname, 'dist');
const binary = path.join(dist, 'loadgen');

/** There is no generator to be had: said without a stack. */
export class BuildError extends Error {}

/** Builds the generator if need be, and says where it is. */
export function buildLoadgen() {
  const files = readdirSync(sources).map((file) => path.join(sources, file));
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (existsSync(binary) && statSync(binary).mtimeMs > newest) return binary;

  mkdirSync(dist, { recursive: true });
  const fresh = `${binary}.${process.pid}`;
  const flags = ['-std=c11', '-O2', '-Wall', '-Wextra', '-o', fresh];
  const compiler = process.env['CC'] ?? 'cc';
  const built = spawnSync(compiler, [...flags, ...files.filter((file) => file.endsWith('.c'))], {
    encoding: 'utf8',
  });
  if (built.error !== undefined)
    throw new BuildError('no C compiler here to build the load generator (apt-get install gcc libc6-dev)');
  if (built.status !== 0) throw new BuildError(`the load generator does not compile:\n${built.stderr}`);
  renameSync(fresh, binary);
  return binary;
}

/**
 * What one run printed; see loadgen/main.c.
 * @typedef {{ requests: number, bytes: number, seconds: number, iops: number, megabytesPerSecond: number,
 *   latencyUsP50: number, latencyUsP99: number, latencyUsP999: number, structured: boolean, cpuSeconds: number,
 *   cpuUsPerRequest: number }} LoadgenResult
 */

/**
 * @param {Load} load
 * @param {string} uri
 * @param {number} seconds
 * @param {number} seed
 * @returns {Promise<LoadgenResult>}
 */
export async function runLoadgen(load, uri, seconds, seed) {
  const printed = await runTool(buildLoadgen(), [
    ...addressOf(new URL(uri)),
    ...['--op', load.op, '--pattern', load.pattern, '--block', `${load.blockBytes}`],
    ...['--depth', `${load.depth}`, '--connections', `${load.connections}`, '--replies', load.replies],
    ...['--seconds', `${seconds}`, '--seed', `${seed}`],
  ]);
  return JSON.parse(printed);
}

/**
 * Negotiates so many connections and does nothing with them until it is stopped; its first line says that it has them.
 * @param {string} uri
 * @param {number} connections
 * @returns {Daemon}
 */
export function holdConnections(uri, connections) {
  const args = [...addressOf(new URL(uri)), '--hold', '--connections', `${connections}`];
  return startDaemon(`${connections} idle clients`, buildLoadgen(), args);
}

/**
 * nbd://host:port/export or nbd+unix:///export?socket=path
 * @param {URL} uri
 */
function addressOf(uri) {
  const name = ['--export', decodeURIComponent(uri.pathname.slice(1))];
  const socket = uri.searchParams.get('socket');
  return socket === null ? ['--tcp', uri.host, ...name] : ['--unix', socket, ...name];
}
