import { mkdirSync, writeSync, ftruncateSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { registryV1, type StateLayout } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { lockFile, type OwnedFd } from '@holdfast/linux';
import { resolveEndpoints, resolveLayout } from '../client/endpoints.js';
import { Instance } from '../client/instance.js';
import { Supervisor } from '../supervisor/supervisor.js';
import type { Announcer } from './announcer.js';
import { makeDemoImage } from './demo-image.js';
import { checkImages, type Image } from './images.js';
import { checkTcpFree, checkUnixFree, parseListen } from './preflight.js';
import { provision } from './provision.js';
import { removeStaleSockets } from './stale-sockets.js';

export interface ServeOptions {
  readonly listen: string;
  readonly socket?: string;
  readonly state?: string;
  readonly readOnly: boolean;
}

/**
 * Serves images until `stopped` resolves. Everything that can be known to fail is found out before the first process
 * is started; what fails later stops all that was started.
 *
 * @throws HoldfastError with one sentence for the user
 */
export async function serve(
  images: readonly string[],
  options: ServeOptions,
  announcer: Announcer,
  stopped: Promise<unknown>,
): Promise<void> {
  process.umask(0o077);
  const address = parseListen(options.listen);
  const checked = checkImages(images, options.readOnly);
  const layout = resolveLayout(options.state);
  const nbdSocket = options.socket === undefined ? layout.nbdSocket : path.resolve(options.socket);
  mkdirSync(layout.logs, { recursive: true, mode: 0o700 });
  const lock = lockState(layout.lock, layout.folder);
  try {
    await checkTcpFree(address);
    await checkUnixFree(nbdSocket);
    if (images.length === 0) {
      makeDemoImage(layout.demoImage);
      checked.push(...checkImages([layout.demoImage], options.readOnly));
    }
    const environment = { HOLDFAST_LISTEN: options.listen, HOLDFAST_NBD_SOCKET: nbdSocket };
    await run(layout, environment, checked, options.readOnly, announcer, stopped);
  } finally {
    await removeStaleSockets(layout, nbdSocket);
    lock.close();
  }
}

async function run(
  layout: StateLayout,
  environment: NodeJS.ProcessEnv,
  images: readonly Image[],
  readOnly: boolean,
  announcer: Announcer,
  stopped: Promise<unknown>,
): Promise<void> {
  const endpoints = resolveEndpoints({ state: layout.folder });
  const supervisor = new Supervisor(layout, endpoints, environment, (sentence) => {
    announcer.note(sentence);
  });
  try {
    const outcome = await Promise.race([stopped.then(() => 'stopped' as const), supervisor.start()]);
    if (outcome === 'stopped') return;
    using instance = new Instance(endpoints);
    await provision(instance, images, readOnly);
    announcer.ready(await usableExports(instance, announcer));
    await stopped;
    announcer.note('stopping');
  } finally {
    await supervisor.stop();
  }
}

/** Held until the process ends, in whatever way: the kernel lets go of it. */
function lockState(file: string, folder: string): OwnedFd {
  const lock = lockFile(file);
  if (lock === undefined) {
    const holder = readFileSync(file, 'utf8').trim();
    throw new HoldfastError(
      'STATE_LOCKED',
      `another holdfast serve (pid ${holder}) uses the state folder ${folder}; stop it, or choose another folder by --state`,
      { folder },
    );
  }
  ftruncateSync(lock.number);
  writeSync(lock.number, `${String(process.pid)}\n`, 0);
  return lock;
}

/** The exports whose devices are attached; for the others the user is told why not. */
async function usableExports(instance: Instance, announcer: Announcer) {
  const devices = new Map((await instance.listDevices()).map((device) => [device.name, device]));
  return (await instance.listExports()).filter((one) => {
    const attachment = devices.get(one.device)?.attachment;
    if (attachment?.state === registryV1.Attachment_State.STATE_CONNECTED) return true;
    const why = attachment?.errorMessage ? `: ${attachment.errorMessage}` : '';
    announcer.note(`${one.name} cannot be used, ${one.device} is not attached${why}`);
    return false;
  });
}
