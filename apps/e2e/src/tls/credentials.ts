import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runHoldfast } from '../support/holdfast-program.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** What `holdfast tls init` made, as its JSON tells. Paths are absolute. */
export interface TlsCredentials {
  readonly folder: string;
  /** Folder for `serve --tls-certificates`. */
  readonly server: string;
  /** Folders of clients, by name. */
  readonly clients: Readonly<Record<string, string>>;
  readonly pskFile: string;
  readonly pskUser: string;
}

/** Makes an authority with certificates for a server on this machine and for these clients, and a key for `me`. */
export async function makeCredentials(...clients: readonly string[]): Promise<TlsCredentials> {
  const dir = path.join(scratchFolder(), 'tls');
  const names = ['--host', 'localhost', '--client', ...clients, '--psk', 'me'];
  const { code, stdout, stderr } = await runHoldfast(['tls', 'init', '--dir', dir, ...names, '--json']);
  if (code !== 0) throw new Error(`tls init: ${stderr}`);
  return JSON.parse(stdout) as TlsCredentials;
}

export function clientFolder({ clients }: TlsCredentials, name: string): string {
  const folder = clients[name];
  if (folder === undefined) throw new Error(`there is no client ${name}`);
  return folder;
}

/** The key of {@link TlsCredentials.pskUser}. */
export function readKey({ pskFile, pskUser }: TlsCredentials): Buffer {
  const line = readFileSync(pskFile, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${pskUser}:`));
  return Buffer.from(line?.slice(pskUser.length + 1) ?? '', 'hex');
}

/** Options of `serve` for TLS by certificates and by keys. */
export function serveArgs(
  { server, pskFile }: TlsCredentials,
  mode: 'required' | 'per-export',
  ...more: readonly string[]
): string[] {
  return ['--tls', mode, '--tls-certificates', server, '--tls-psk', pskFile, ...more];
}
