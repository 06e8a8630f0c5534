import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { resolveLayout } from '../client/endpoints.js';
import { byCertificate, byKey } from '../output/client-uri.js';
import { printFacts, printJson } from '../output/print.js';
import { shellWord } from '../output/shell-word.js';
import { place } from '../tls/credential-places.js';
import { checkNames } from '../tls/tls-names.js';

/** Where `serve` listens unless told otherwise. */
const HERE = 'nbds://127.0.0.1:10809/';

interface InitOptions {
  readonly dir?: string;
  readonly host?: readonly string[];
  readonly client: readonly string[];
  readonly psk?: string;
  readonly json: boolean;
}

/** What was made, and where. Paths are absolute. */
interface Made {
  readonly folder: string;
  /** For `serve --tls-certificates`. */
  readonly server: string;
  /** Folders by name of the client. */
  readonly clients: Readonly<Record<string, string>>;
  readonly pskFile: string;
  readonly pskUser: string;
}

export function tlsCommand(): Command {
  const command = new Command('tls').description('Make certificates and keys for TLS');
  command
    .command('init')
    .description('Make a private certificate authority, certificates and a pre-shared key, for a first try')
    .option('--dir <folder>', 'folder to make (default: tls in the state folder)')
    .option(
      '--host <name...>',
      'names and addresses by which clients reach this server (default: its host name)',
    )
    .option('--client <name...>', 'names of clients to make certificates for', ['client'])
    .option('--psk <user>', 'user name for the pre-shared key (default: your login name)')
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  holdfast tls init --dir tls --host nbd.example.org --client vm1 vm2\n  holdfast serve --tls required --tls-certificates tls/server disk.img',
    )
    .action(init);
  return command;
}

async function init({ dir, host, client, psk, json }: InitOptions): Promise<void> {
  const names = checkNames({
    hosts: host ?? [hostname()],
    clients: client,
    pskUser: psk ?? userInfo().username,
  });
  const folder = dir === undefined ? path.join(resolveLayout(undefined).folder, 'tls') : path.resolve(dir);
  // Loaded by this command alone: no other has to wait for it.
  const { makeCredentials } = await import('../tls/make-credentials.js');
  const { writeNewFolder } = await import('../tls/write-new-folder.js');
  writeNewFolder(folder, await makeCredentials(names, new Date()));
  const made: Made = {
    folder,
    server: path.join(folder, place.server),
    clients: Object.fromEntries(names.clients.map((name) => [name, path.join(folder, place.client(name))])),
    pskFile: path.join(folder, place.pskFile),
    pskUser: names.pskUser,
  };
  if (json) printJson(made);
  else show(made);
}

function show({ folder, server, clients, pskFile, pskUser }: Made): void {
  printFacts({
    server,
    ...Object.fromEntries(Object.entries(clients).map(([name, place]) => [`client ${name}`, place])),
    [`key of ${pskUser}`]: pskFile,
  });
  const serve = [
    '--tls required',
    `--tls-certificates ${shellWord(server)}`,
    `--tls-psk ${shellWord(pskFile)}`,
  ];
  const [client = ''] = Object.values(clients);
  const lines = [
    'Serve with them:',
    `  npx holdfast serve ${serve.join(' ')} disk.img`,
    'Then, in another terminal, by certificate or by key:',
    `  nbdinfo --list ${shellWord(byCertificate(HERE, client))}`,
    `  nbdinfo --list ${shellWord(byKey(HERE, pskUser, pskFile))}`,
    `A client needs its own folder, or the key, and nothing else. ${path.join(folder, 'ca/ca-key.pem')} makes`,
    'certificates that this server trusts: keep it where nobody else can read it.',
  ];
  process.stderr.write(['', ...lines, '', ''].join('\n'));
}
