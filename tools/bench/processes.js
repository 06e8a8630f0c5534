/** Every process of a run is started here, so that every one of them is ended. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf, isRunning } from './proc-stat.js';

/** @import { ChildProcess } from 'node:child_process' */
/** @import { Daemon } from './types.js' */

/** holdfast finishes outstanding work before it goes; longer than this is a fault. */
const stopMsMax = 10_000;
/** What is kept of a process's words: the first of stdout, the last of stderr. */
const outCharsMax = 1 << 20;
const complaintCharsMax = 2000;

/** @type {Set<Daemon>} */
const daemons = new Set();
/** @type {Set<ChildProcess>} */
const tools = new Set();
let over = false;

/** Whether everything was ended: what fails from then on fails because of that. */
export const isOver = () => over;

/**
 * Each in a process group of its own: Ctrl-C reaches only us, and we end the others in order.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env] beside our own
 */
function launch(command, args, env = {}) {
  if (over) throw new Error('the run is over');
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out = (said.out + String(chunk)).slice(0, outCharsMax)));
  child.stderr.on('data', (chunk) => (said.err = (said.err + String(chunk)).slice(-complaintCharsMax)));
  return { child, said };
}

/**
 * Starts a server.
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Daemon}
 */
export function startDaemon(name, command, args, env) {
  const { child, said } = launch(command, args, env);
  child.on('error', (error) => (said.err += error.message));
  const daemon = {
    name,
    pid: child.pid ?? 0,
    output: () => said.out,
    complaint: () => said.err.trim(),
    exited: () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null,
  };
  if (child.pid !== undefined) daemons.add(daemon);
  return daemon;
}

/**
 * Takes charge of a server that detached itself from us.
 * @param {string} name
 * @param {number} pid
 * @returns {Daemon}
 */
export function adoptDaemon(name, pid) {
  const daemon = { name, pid, output: () => '', complaint: () => '', exited: () => !isRunning(pid) };
  daemons.add(daemon);
  return daemon;
}

/**
 * Runs a client to its end and returns what it printed.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>}
 */
export function runTool(command, args) {
  const { child, said } = launch(command, args);
  tools.add(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      tools.delete(child);
      if (code === 0) resolve(said.out);
      else reject(new Error(said.err.trim() || `${command} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/**
 * Ends a server in order, then by force; whatever it leaves behind is ended and named.
 * @param {Daemon} daemon
 */
export async function stopDaemon(daemon) {
  // A number that has been given back may be somebody else's by now.
  const family = daemon.exited() ? new Map() : familyOf([daemon.pid]);
  if (family.size > 0) send(daemon.pid, 'SIGTERM');
  const deadline = performance.now() + stopMsMax;
  while (!daemon.exited() && performance.now() < deadline) await sleep(20);
  const left = [...family.values()].filter((stat) => isRunning(stat.pid, stat.started));
  if (left.length > 0)
    console.error(`${daemon.name} left ${left.length} process(es) running: ended by force`);
  for (const stat of left) send(stat.pid, 'SIGKILL');
  daemons.delete(daemon);
}

/** Ends everything, and lets nothing more be started. */
export async function stopEverything() {
  over = true;
  for (const tool of tools) tool.kill('SIGKILL');
  await Promise.all([...daemons].map(stopDaemon));
}

/** The last resort, for an exit that cannot wait. */
export function killEverything() {
  over = true;
  for (const tool of tools) tool.kill('SIGKILL');
  const alive = [...daemons].filter((daemon) => !daemon.exited());
  for (const pid of familyOf(alive.map((daemon) => daemon.pid)).keys()) send(pid, 'SIGKILL');
}

/**
 * @param {number} pid
 * @param {'SIGTERM' | 'SIGKILL'} signal
 */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone already.
  }
}
