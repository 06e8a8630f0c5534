/** The holdfast that is kept busy: `./tools/serve`, asked by gRPC, and looked at from outside. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, gatewayV1, registryV1, stateLayout, workerV1 } from '@holdfast/contracts';
import { startDaemon } from '../bench/processes.js';
import { familyOf } from '../bench/proc-stat.js';

/** @import { Footprints } from './types.js' */

const serve = path.resolve(import.meta.dirname, '../serve');
const program = path.resolve(import.meta.dirname, '../../apps/holdfast/bin/holdfast.js');

/** The first start in a checkout installs and builds. */
const readyMsMax = 600_000;
/** At rest, nothing changes for three looks in a row. A server that needs longer than this does not come to rest. */
const looks = 3;
const lookMs = 200;
const restMsMax = 20_000;

/**
 * @param {string} folder
 * @param {readonly string[]} images
 * @param {boolean} setUp whether the checkout is brought up to date before
 */
export async function startInstance(folder, images, setUp) {
  const state = path.join(folder, 'state');
  const args = ['--state', state, '--listen', '127.0.0.1:0', ...images];
  const daemon = setUp
    ? startDaemon('holdfast', serve, args)
    : startDaemon('holdfast', process.execPath, [program, 'serve', ...args]);
  const lines = () => [...daemon.output().matchAll(/^ready (?<tcp>\S+) (?<unix>\S+)$/gm)];
  const deadline = performance.now() + readyMsMax;
  while (lines().length < images.length) {
    if (daemon.exited() || performance.now() > deadline) throw new Error(`not ready: ${daemon.complaint()}`);
    await sleep(50);
  }
  const layout = stateLayout(state);
  const devices = createClient(registryV1.DeviceServiceService, `unix:${layout.registrySocket}`);
  const sessions = createClient(gatewayV1.SessionServiceService, `unix:${layout.gatewaySocket}`);
  const ledger = createClient(workerV1.LedgerServiceService, `unix:${layout.workerSocket}`);
  return {
    /** Where clients find the export of an image, over TCP and over the Unix socket. @param {string} name */
    urisOf(name) {
      const groups = lines().find(
        (line) => new URL(line.groups?.['tcp'] ?? '').pathname === `/${name}`,
      )?.groups;
      if (groups === undefined) throw new Error(`no export ${name} was announced`);
      return [groups['tcp'] ?? '', groups['unix'] ?? ''];
    },
    /** @param {string} device */
    attach: (device) => devices.attachDevice({ name: `devices/${device}` }),
    /** Cuts off whoever is connected. @param {string} device */
    detach: (device) =>
      devices.detachDevice({ name: `devices/${device}`, drainTimeout: undefined, force: true }),
    /** Waits until no client is left and the figures stand still. */
    async atRest() {
      const end = performance.now() + restMsMax;
      let [last, same] = ['', 0];
      while (performance.now() < end) {
        const left = (await sessions.listSessions({ pageSize: 1, pageToken: '' })).sessions.length;
        const found = footprints(daemon.pid);
        const seen = JSON.stringify(
          Object.values(found).map(({ descriptors, threads }) => [descriptors, threads]),
        );
        same = left === 0 && seen === last ? same + 1 : 0;
        last = seen;
        if (same === looks) return found;
        await sleep(lookMs);
      }
      throw new Error(`holdfast does not come to rest within ${restMsMax / 1000} s: ${last}`);
    },
    /** What is wrong with the pin ledger of a worker that is at rest; undefined when it balances. */
    async imbalance() {
      const { variants, violationCounts } = await ledger.getLedger({});
      const isBalanced = variants.every(
        ({ acquired, released, acquiredBytes, releasedBytes }) =>
          acquired === released && acquiredBytes === releasedBytes,
      );
      if (isBalanced && violationCounts.length === 0) return undefined;
      return `the pin ledger does not balance at rest: ${JSON.stringify({ variants, violationCounts }, (_key, value) => (typeof value === 'bigint' ? String(value) : value))}`;
    },
    exited: () => daemon.exited(),
    complaint: () => daemon.complaint(),
    close() {
      devices.close();
      sessions.close();
      ledger.close();
    },
  };
}

/**
 * What each service has, by its title.
 * @param {number} supervisor its process id
 * @returns {Footprints}
 */
function footprints(supervisor) {
  const entries = [...familyOf([supervisor]).keys()].flatMap((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const number = (/** @type {RegExp} */ key) => Number(key.exec(status)?.[1] ?? NaN);
      const footprint = {
        memoryBytes: number(/^RssAnon:\s+(\d+) kB$/m) * 1024,
        descriptors: readdirSync(`/proc/${pid}/fd`).length,
        threads: number(/^Threads:\s+(\d+)$/m),
      };
      return [/** @type {const} */ ([serviceOf(pid, supervisor, title), footprint])];
    } catch {
      // It has ended since it was listed.
      return [];
    }
  });
  return Object.fromEntries(entries);
}

/**
 * @param {number} pid
 * @param {number} supervisor
 * @param {string} title
 */
function serviceOf(pid, supervisor, title) {
  return pid === supervisor ? 'supervisor' : title.replace(/^holdfast /, '');
}
