/** holdfast, asked by gRPC, as an orchestrator does. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createClient, registryV1, stateLayout } from '@holdfast/contracts';
import { startDaemon } from '../processes.js';
import { familyOf } from '../proc-stat.js';

const serve = path.resolve(import.meta.dirname, '../../serve');
const readyMsMax = 600_000;

/** @typedef {{ rssBytes: number, descriptors: number }} Footprint */

/** @param {string} folder */
export async function startRegistry(folder) {
  const state = path.join(folder, 'state');
  const image = path.join(folder, 'first.img');
  writeFileSync(image, Buffer.alloc(512));
  const daemon = startDaemon('holdfast', serve, ['--state', state, '--listen', 'none', image]);
  const deadline = performance.now() + readyMsMax;
  while (!/^ready /m.test(daemon.output())) {
    if (daemon.exited() || performance.now() > deadline) throw new Error(`not ready: ${daemon.complaint()}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
  const client = createClient(registryV1.DeviceServiceService, `unix:${stateLayout(state).registrySocket}`);
  const nameOf = (/** @type {string} */ id) => `devices/${id}`;
  return {
    register: (/** @type {string} */ id, /** @type {string} */ file) =>
      client.createDevice({
        deviceId: id,
        device: registryV1.Device.fromPartial({
          backing: { $case: 'loop', value: registryV1.LoopBacking.fromPartial({ path: file }) },
        }),
      }),
    attach: (/** @type {string} */ id) => client.attachDevice({ name: nameOf(id) }),
    detach: (/** @type {string} */ id) =>
      client.detachDevice({ name: nameOf(id), drainTimeout: undefined, force: false }),
    footprint: () => footprintOf(daemon.pid),
    close: () => client.close(),
  };
}

/**
 * What each service has, by its title.
 *
 * @param {number} pid of the supervisor
 * @returns {Record<string, Footprint>}
 */
function footprintOf(pid) {
  const entries = [...familyOf([pid]).keys()].map((member) => {
    const status = readFileSync(`/proc/${member}/status`, 'utf8');
    const title = readFileSync(`/proc/${member}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return /** @type {const} */ ([
      title.replace(/^holdfast /, ''),
      {
        rssBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
        descriptors: readdirSync(`/proc/${member}/fd`).length,
      },
    ]);
  });
  return Object.fromEntries(entries.filter(([title]) => !title.includes('/')));
}
