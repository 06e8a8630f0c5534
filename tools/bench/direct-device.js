/** A block device over an image that reads and writes it past the page cache, for servers that cannot do that themselves. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Devices that are ours and still there. */
/** @type {Set<string>} */
const devices = new Set();

/** Why there can be none; undefined when there can. */
export function missingDirectDevice() {
  return process.getuid?.() === 0 ? undefined : 'a loop device with direct I/O needs root';
}

/**
 * @param {string} image
 * @returns {string} its path
 * @throws Error when the file system does not do direct I/O
 */
export function makeDirectDevice(image) {
  const args = ['--find', '--show', '--direct-io=on', image];
  const device = execFileSync('losetup', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  devices.add(device);
  const isDirect = readFileSync(`/sys/block/${path.basename(device)}/loop/dio`, 'utf8').trim() === '1';
  if (!isDirect) throw new Error(`${device} does not do direct I/O on the file system of ${image}`);
  return device;
}

/** Takes all of them away; those that a server still has go with it. */
export function removeDirectDevices() {
  for (const device of devices) execFileSync('losetup', ['--detach', device], { stdio: 'pipe' });
  devices.clear();
}
