/** holdfast as a user starts it: `./tools/serve`, all its processes, both transports at once. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { startDaemon } from '../processes.js';
import { ready, socketPath, withCertificates } from './start.js';

/** @import { Certificates, Place, Server } from '../types.js' */

const root = path.resolve(import.meta.dirname, '../../..');
const serve = path.join(root, 'tools/serve');
const program = path.join(root, 'apps/holdfast/bin/holdfast.js');

/** The first start in a checkout installs and builds. */
const readyMsMax = 600_000;

/** One line per export, once it can be read: `ready nbd://… nbd+unix://…` */
const readyLine = /^ready (?<tcp>nbds?:\S+) (?<unix>nbds?\+unix:\S+)$/m;

/** By default one client may have 512 connections, so that others get in; here all come from one. */
const manyClients = {
  HOLDFAST_CONNECTIONS_MAX: '4096',
  HOLDFAST_CLIENT_CONNECTIONS_MAX: '4096',
  HOLDFAST_EXPORT_CONNECTIONS_MAX: '4096',
  HOLDFAST_WORKER_SESSIONS_MAX: '4096',
};

/** @type {Server} */
export const holdfast = {
  name: 'holdfast',
  modes: ['plain', 'tls', 'direct'],
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
    const env = place.manyClients === true ? manyClients : {};
    const options = [
      ...['--listen', `127.0.0.1:${place.port}`],
      ...['--socket', socketPath(place)],
      ...['--state', path.join(place.folder, 'state')],
      ...tlsOptions(place),
      ...(place.mode === 'direct' ? ['--direct-io'] : []),
    ];
    const daemon = startDaemon('holdfast', serve, [...options, place.image], env);
    const line = await ready(daemon, () => readyLine.exec(daemon.output())?.groups, readyMsMax);
    const uris = withCertificates(place.certificates, { tcp: line['tcp'] ?? '', unix: line['unix'] ?? '' });
    return { uris, settings: settingsOf(place), daemons: [daemon] };
  },
};

/** @param {Place} place */
function tlsOptions({ mode, certificates }) {
  if (mode !== 'tls' || certificates === undefined) return [];
  return ['--tls', 'required', '--tls-certificates', certificates.server];
}

/** @param {Place} place */
function settingsOf({ mode, manyClients: many }) {
  if (mode === 'tls') return './tools/serve with --tls required';
  if (mode === 'direct') return './tools/serve with --direct-io';
  return many === true ? './tools/serve with room for 4,096 connections' : './tools/serve with its defaults';
}

/**
 * An authority, a certificate for servers on this machine, and one for their client.
 * @param {string} folder that is made
 * @returns {Certificates}
 */
export function makeCertificates(folder) {
  const names = ['--host', 'localhost', '127.0.0.1', '--client', 'bench'];
  const args = [program, 'tls', 'init', '--dir', folder, ...names, '--json'];
  const { server, clients } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  return { server, client: clients.bench };
}
