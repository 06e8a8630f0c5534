import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isFree } from './free-port.js';
import type { Holdfast } from './holdfast.js';
import { isAlive, openFds, titleOf } from './process-facts.js';

/** Everything that a stopped, or never started, instance must not leave behind; empty when it left nothing. */
export interface Leftovers {
  /** Titles of processes. */
  readonly processes: readonly string[];
  /** Sockets in the state folder. */
  readonly sockets: readonly string[];
  /** Processes that have one of the images open. */
  readonly holders: readonly string[];
  readonly portIsFree: boolean;
}

export const nothing: Leftovers = { processes: [], sockets: [], holders: [], portIsFree: true };

export async function leftoversOf(holdfast: Holdfast, images: readonly string[] = []): Promise<Leftovers> {
  return {
    processes: [holdfast.pid, ...servicesOf(holdfast.state)].filter(isAlive).map(titleOf),
    sockets: socketsIn(holdfast.state),
    holders: holdersOf(images),
    portIsFree: await isFree(holdfast.port),
  };
}

/** Services that were started for a state folder, whoever their parent is now. */
export function servicesOf(state: string): number[] {
  return allProcesses().filter((pid) => environmentOf(pid).includes(`HOLDFAST_STATE=${state}`));
}

/** Names of sockets in a folder, and in the folders of it. */
export function socketsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isSocket())
    .map((entry) => entry.name);
}

function holdersOf(images: readonly string[]): string[] {
  const wanted = new Set(images.map((image) => path.resolve(image)));
  return allProcesses()
    .filter((pid) => openFds(pid).some((target) => wanted.has(target)))
    .map(titleOf);
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Empty for processes of other users. */
function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
