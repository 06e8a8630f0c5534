import { mkdirSync, writeSync, ftruncateSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { registryV1, type StateLayout } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { lockFile, type OwnedFd } from '@holdfast/linux';
import { resolveEndpoints, resolveLayout } from '../client/endpoints.js';
import { Instance } from '../client/instance.js';
import type { TlsOptions } from '../commands/serve-tls.js';
import { ControlServer } from '../supervisor/control-server.js';
import { Supervisor } from '../supervisor/supervisor.js';
import type { Announcer } from './announcer.js';
import { demoUnlessRegistered } from './demo-image.js';
import { checkImages, type Image } from './images.js';
import { databaseNotice, exposureNotice } from './notices.js';
import { checkTcpFree, checkUnixFree, parseListen } from './preflight.js';
import { provision, type ImageMode } from './provision.js';
import { removeStaleSockets } from './stale-sockets.js';
import { chooseTls, tlsEnvironment, type TlsChoice } from './tls-choice.js';
import { checkTlsFiles } from './tls-files.js';

export interface ServeOptions extends TlsOptions, ImageMode {
  /** `HOST:PORT` or `none`. */
  readonly listen: string;
  /** Empty or not given: the one in the state folder. */
  readonly socket?: string;
  readonly state?: string;
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
  const { listen, socket = '', state, readOnly, directIo } = options;
  const address = parseListen(listen);
  const tls = chooseTls(options);
  if (tls !== undefined) checkTlsFiles(tls);
  const given = checkImages(images, readOnly);
  const layout = resolveLayout(state);
  const nbdSocket = socket === '' ? layout.nbdSocket : path.resolve(socket);
  makeStateFolder(layout);
  const lock = lockState(layout.lock, layout.folder);
  try {
    if (address !== 'none') await checkTcpFree(address);
    await checkUnixFree(nbdSocket);
    for (const notice of [exposureNotice(address, tls), databaseNotice(process.env, layout)]) {
      if (notice !== undefined) announcer.note(notice);
    }
    const environment = {
      HOLDFAST_LISTEN: listen,
      HOLDFAST_NBD_SOCKET: nbdSocket,
      ...tlsEnvironment(tls),
    };
    await run({ layout, environment, given, mode: { readOnly, directIo }, tls }, announcer, stopped);
  } finally {
    await removeStaleSockets(layout, nbdSocket);
    lock.close();
  }
}

/** What one run of `serve` is about, once it was checked. */
interface Run {
  readonly layout: StateLayout;
  readonly environment: NodeJS.ProcessEnv;
  readonly given: readonly Image[];
  readonly mode: ImageMode;
  readonly tls: TlsChoice | undefined;
}

async function run(
  { layout, environment, given, mode, tls }: Run,
  announcer: Announcer,
  stopped: Promise<unknown>,
): Promise<void> {
  const endpoints = resolveEndpoints({ state: layout.folder });
  const note = (sentence: string) => {
    announcer.note(sentence);
  };
  const supervisor = new Supervisor(layout, endpoints, environment, note);
  const control = new ControlServer(supervisor);
  try {
    const outcome = await Promise.race([stopped.then(() => 'stopped' as const), supervisor.start()]);
    if (outcome === 'stopped') return;
    await control.listen(layout.supervisorSocket);
    using instance = new Instance(endpoints);
    const images =
      given.length > 0 ? given : await demoUnlessRegistered(instance, layout.demoImage, mode.readOnly);
    await provision(instance, images, mode, note);
    announcer.ready(await usableExports(instance, announcer), layout.folder, tls);
    await stopped;
    announcer.note('stopping');
  } finally {
    control.close();
    await supervisor.stop();
  }
}

function makeStateFolder({ folder, logs }: StateLayout): void {
  try {
    mkdirSync(logs, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new HoldfastError(
      'INVALID_SETTING',
      `the state folder ${folder} cannot be used: ${messageOf(error)}; choose another by --state`,
      { setting: '--state' },
      error,
    );
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
  const [devices, exports] = await Promise.all([instance.listDevices(), instance.listExports()]);
  const byName = new Map(devices.map((device) => [device.name, device]));
  return exports.filter((one) => {
    const attachment = byName.get(one.device)?.attachment;
    if (attachment?.state === registryV1.Attachment_State.STATE_CONNECTED) return true;
    const why = attachment?.errorMessage ? `: ${attachment.errorMessage}` : '';
    announcer.note(`${one.name} cannot be used, ${one.device} is not attached${why}`);
    return false;
  });
}
