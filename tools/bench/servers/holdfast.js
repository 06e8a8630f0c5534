/** holdfast as a user starts it: `./tools/serve`, all its processes, both transports at once. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { startDaemon } from '../processes.js';
import { ready, socketPath } from './start.js';

/** @import { Server } from '../types.js' */

const root = path.resolve(import.meta.dirname, '../../..');
const serve = path.join(root, 'tools/serve');

/** The first start in a checkout installs and builds. */
const readyMsMax = 600_000;

/** One line per export, once it can be read: `ready nbd://… nbd+unix://…` */
const readyLine = /^ready (?<tcp>nbd:\S+) (?<unix>nbd\+unix:\S+)$/m;

/** @type {Server} */
export const holdfast = {
  name: 'holdfast',
  missing: () => (existsSync(serve) ? undefined : './tools/serve is not there'),
  version: () => {
    try {
      const args = ['-C', root, 'describe', '--always', '--dirty'];
      return execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
    } catch {
      return 'unknown';
    }
  },
  async start(place) {
    const daemon = startDaemon('holdfast', serve, [
      ...['--listen', `127.0.0.1:${place.port}`],
      ...['--socket', socketPath(place)],
      ...['--state', path.join(place.folder, 'state')],
      place.image,
    ]);
    const line = await ready(daemon, () => readyLine.exec(daemon.output())?.groups, readyMsMax);
    const uris = { tcp: line['tcp'] ?? '', unix: line['unix'] ?? '' };
    return { uris, settings: './tools/serve with its defaults', daemons: [daemon] };
  },
};
