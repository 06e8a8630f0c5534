/** How long an attach and a detach take with many devices, beside losetup and qemu-nbd, and what is left over of it. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { killEverything, stopEverything } from '../processes.js';
import { startRegistry } from './holdfast.js';
import { losetupCycle, missingPeer } from './losetup.js';
import { describeTimes } from './times.js';

const imageBytes = 1024 * 1024;
/** How often memory and descriptors are looked at: memory that is collected late goes up and down, a leak only up. */
const looks = 10;

/** @param {string} text */
function count(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return number;
}

const options = new Command('tools/bench/attach/run')
  .description('Times attach and detach of loop devices, beside losetup with qemu-nbd')
  .option('--devices <count>', 'loop devices that are attached at once', count, 1000)
  .option('--cycles <count>', 'how often one of them is detached and attached again', count, 10_000)
  .option('--peer-cycles <count>', 'the same by losetup and qemu-nbd, in between', count, 200)
  .parse()
  .opts();

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-attach-'));
process.on('exit', () => {
  killEverything();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => process.exit(1));

try {
  await main();
} finally {
  await stopEverything();
}

async function main() {
  const registry = await startRegistry(folder);
  const names = Array.from({ length: options['devices'] }, (_, number) => `disk-${number}`);
  for (const name of names) await registry.register(name, image(name));

  const first = await times(names, (name) => registry.attach(name));
  console.log(describeTimes(`first attach of ${names.length} devices`, first));

  const peerEvery = Math.ceil(options['cycles'] / options['peerCycles']);
  const peerImage = image('peer');
  const peer = missingPeer();
  /** @type {Record<'attach' | 'detach' | 'peerAttach' | 'peerDetach', number[]>} */
  const taken = { attach: [], detach: [], peerAttach: [], peerDetach: [] };
  const lookEvery = Math.ceil(options['cycles'] / looks);
  /** @type {ReturnType<typeof registry.footprint>[]} */
  const footprints = [];
  for (let cycle = 0; cycle < options['cycles']; cycle++) {
    const name = names[cycle % names.length] ?? '';
    taken.detach.push(await timed(() => registry.detach(name)));
    taken.attach.push(await timed(() => registry.attach(name)));
    if ((cycle + 1) % lookEvery === 0) footprints.push(registry.footprint());
    if (peer !== undefined || cycle % peerEvery !== 0) continue;
    const one = await losetupCycle(peerImage, path.join(folder, 'peer.sock'));
    taken.peerAttach.push(one.attachMs);
    taken.peerDetach.push(one.detachMs);
  }
  console.log(describeTimes('attach', taken.attach));
  console.log(describeTimes('detach', taken.detach));
  if (peer === undefined) {
    console.log(describeTimes('losetup + qemu-nbd: attach', taken.peerAttach));
    console.log(describeTimes('losetup + qemu-nbd: detach', taken.peerDetach));
  } else {
    console.log(`losetup + qemu-nbd: not compared, ${peer}`);
  }
  footprints.push(registry.footprint());
  for (const service of Object.keys(footprints[0] ?? {})) {
    const ofService = footprints.map((footprint) => footprint[service] ?? { rssBytes: 0, descriptors: 0 });
    const memory = ofService.map(({ rssBytes }) => mebibytes(rssBytes)).join(' ');
    console.log(
      `${service}: ${memory} MiB, ${ofService.map(({ descriptors }) => descriptors).join(' ')} descriptors`,
    );
  }
  registry.close();
}

/** @param {string} name */
function image(name) {
  const file = path.join(folder, `${name}.img`);
  writeFileSync(file, '');
  truncateSync(file, imageBytes);
  return file;
}

/**
 * @param {readonly string[]} names
 * @param {(name: string) => Promise<unknown>} act
 */
async function times(names, act) {
  const taken = [];
  for (const name of names) taken.push(await timed(() => act(name)));
  return taken;
}

/**
 * @param {() => Promise<unknown>} act
 * @returns {Promise<number>} milliseconds
 */
async function timed(act) {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
}

/** @param {number} bytes */
function mebibytes(bytes) {
  return Math.round(bytes / 2 ** 20);
}
