/** qemu-nbd. It listens on one transport, so there are two processes, and its lock on the image is off. */
import { execFileSync } from 'node:child_process';
import { startDaemon } from '../processes.js';
import {
  answersOnTcp,
  answersOnUnix,
  exportName,
  missingProgram,
  ready,
  socketPath,
  urisOf,
  versionOf,
} from './start.js';

/** @import { Server } from '../types.js' */

/** io_uring is the faster one for reads; builds without liburing say so when asked. */
function fastestAio() {
  const help = execFileSync('qemu-nbd', ['--help'], { encoding: 'utf8' });
  return help.includes('io_uring') ? 'io_uring' : 'threads';
}

/** @type {Server} */
export const qemuNbd = {
  name: 'qemu-nbd',
  settings: 'raw, --cache=writeback --aio=io_uring (threads where it is missing) --shared=0',
  missing: () => missingProgram('qemu-nbd', 'qemu-utils'),
  version: () => versionOf('qemu-nbd', '--version'),
  async start(place) {
    const common = [
      ...['--persistent', '--shared=0', '--cache=writeback', `--aio=${fastestAio()}`],
      ...[`--export-name=${exportName}`, '--image-opts'],
    ];
    const image = `driver=raw,file.driver=file,file.locking=off,file.filename=${place.image}`;
    const tcp = startDaemon('qemu-nbd (tcp)', 'qemu-nbd', [
      ...[...common, '--bind=127.0.0.1', `--port=${place.port}`],
      image,
    ]);
    const unix = startDaemon('qemu-nbd (unix)', 'qemu-nbd', [
      ...[...common, `--socket=${socketPath(place)}`],
      image,
    ]);
    await ready(tcp, () => answersOnTcp(place));
    await ready(unix, () => answersOnUnix(place));
    return { uris: urisOf(place), daemons: [tcp, unix] };
  },
};
