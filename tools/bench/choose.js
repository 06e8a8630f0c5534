/** Which loads run, and which servers: what was asked for, without what this machine cannot do. */
import { missingClient } from './clients.js';
import { missingDirectDevice } from './direct-device.js';
import { fileSystemOf, freeBytes } from './images.js';
import { loads } from './loads.js';
import { UsageError } from './options.js';
import { scenes } from './scenes.js';
import { servers } from './servers/all.js';

/** @import { Load, Options, Server } from './types.js' */

/** An image must leave room for what else lies there. */
const roomFactor = 1.25;

/**
 * @param {Options} options
 * @returns {Load[]}
 */
export function chooseLoads(options) {
  const wanted = loads.filter((load) => options.loads.test(load.name));
  if (wanted.length === 0) throw new UsageError(`no load matches ${options.loads}`);
  /** @type {Set<string>} */
  const reasons = new Set();
  const possible = wanted.filter((load) => {
    const missing = missingFor(load, options);
    if (missing !== undefined) reasons.add(missing);
    return missing === undefined;
  });
  for (const reason of reasons) console.error(`Some loads are left out: ${reason}.`);
  if (possible.length === 0) throw new UsageError('none of these loads can run here');
  return possible.map((load) => (load.replies === 'simple' ? { ...load, replies: options.replies } : load));
}

/**
 * @param {Load} load
 * @param {Options} options
 * @returns {string | undefined}
 */
function missingFor(load, { sizeBytes, tmpfsFolder }) {
  const { mode, storage } = scenes[load.scene];
  return (
    missingClient(load.tool) ??
    (mode === 'direct' ? missingDirectDevice() : undefined) ??
    (storage === 'tmpfs' ? missingTmpfs(tmpfsFolder, sizeBytes) : undefined)
  );
}

/**
 * @param {string} folder
 * @param {number} sizeBytes
 */
function missingTmpfs(folder, sizeBytes) {
  try {
    if (fileSystemOf(folder) !== 'tmpfs') return `${folder} is not a tmpfs`;
  } catch {
    return `${folder} is not there`;
  }
  return freeBytes(folder) < sizeBytes * roomFactor ? `${folder} has no room for the image` : undefined;
}

/**
 * @param {Options} options
 * @returns {Server[]}
 */
export function chooseServers(options) {
  const chosen = options.servers.flatMap((name) => servers.get(name) ?? []);
  const installed = chosen.filter((server) => {
    const missing = server.missing();
    if (missing !== undefined) console.error(`Without ${server.name}: ${missing}.`);
    return missing === undefined;
  });
  if (installed.length === 0) throw new UsageError('none of these servers can run here');
  return installed;
}
