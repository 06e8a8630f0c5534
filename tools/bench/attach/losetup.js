/** The same by the tools that people script today: a loop device, and a server that opens it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { runTool } from '../processes.js';

/** @returns {string | undefined} why it cannot be compared */
export function missingPeer() {
  const absent = ['losetup', 'qemu-nbd'].filter(
    (command) => spawnSync(command, ['--version']).error !== undefined,
  );
  return absent.length > 0 ? `${absent.join(' and ')} are not installed` : undefined;
}

/**
 * Attach: until a client could connect. Detach: until the loop device is gone.
 *
 * @param {string} image
 * @param {string} socket
 */
export async function losetupCycle(image, socket) {
  const pidFile = `${socket}.pid`;
  const begin = performance.now();
  const device = (await runTool('losetup', ['--find', '--show', image])).trim();
  // Comes back once it listens.
  await runTool('qemu-nbd', [
    ...['--fork', '--persistent', '--format', 'raw'],
    ...['--pid-file', pidFile, '--socket', socket, device],
  ]);
  const attached = performance.now();
  await ended(pidFile);
  await runTool('losetup', ['--detach', device]);
  const end = performance.now();
  rmSync(socket, { force: true });
  return { attachMs: attached - begin, detachMs: end - attached };
}

/**
 * Asks again and again: qemu-nbd forgets a signal that comes just after it has said that it listens.
 *
 * @param {string} pidFile
 */
async function ended(pidFile) {
  const pid = Number(readFileSync(pidFile, 'utf8'));
  for (let looks = 0; isRunning(pid); looks++) {
    if (looks % 1_000 === 0) process.kill(pid, 'SIGTERM');
    await delay(1);
  }
}

/**
 * One that nobody has waited for yet has ended all the same (proc(5): state Z).
 *
 * @param {number} pid
 */
function isRunning(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
