import { Command, Option } from 'commander';
import { STATE_DEFAULT } from '../client/endpoints.js';
import { Announcer } from '../serve/announcer.js';
import { serve, type ServeOptions } from '../serve/serve.js';
import { withTls } from './serve-tls.js';

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Serve images: starts the services, and stops them on ^C or SIGTERM')
    .argument(
      '[image...]',
      'image files or block devices; without any and with no export registered, a 1 GiB demo image is made',
    )
    .addOption(
      new Option('--listen <host:port>', 'where NBD clients connect over TCP, or none')
        .default('127.0.0.1:10809')
        .env('HOLDFAST_LISTEN'),
    )
    .addOption(
      new Option(
        '--socket <path>',
        'Unix socket for NBD clients (default: nbd.sock in the state folder)',
      ).env('HOLDFAST_NBD_SOCKET'),
    )
    .option('--state <folder>', `state folder (default: ${STATE_DEFAULT})`)
    .option('--read-only', 'clients may only read', false)
    .option('--direct-io', 'read and write the images past the page cache', false)
    .option('--json', 'print JSON lines', false);
  return withTls(command)
    .addHelpText(
      'after',
      '\nExample:\n  holdfast serve disk.img\n  holdfast serve --read-only --listen 127.0.0.1:10810 *.img\n' +
        '  holdfast serve --tls required --tls-certificates tls/server disk.img',
    )
    .action(async (images: string[], options: ServeOptions & { json: boolean }) => {
      await serve(images, options, new Announcer(options.json), stopSignal());
    });
}

/** Resolves at the first ^C or SIGTERM; a second one changes nothing, since stopping is under way. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
  });
}
