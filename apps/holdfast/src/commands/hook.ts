import { HoldfastError } from '@holdfast/foundation';
import { Command } from 'commander';
import { LibvirtHook } from '../hook/libvirt/libvirt-hook.js';
import { DOMAIN_XML_BYTES_MAX } from '../hook/libvirt/limits.js';
import { Wants } from '../hook/libvirt/wants.js';
import { printNote } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { parseSeconds } from './parse-seconds.js';

interface LibvirtOptions extends CommonOptions {
  readonly run: string;
  /** In milliseconds. */
  readonly deadline?: number;
}

/** A guest that has stopped is gone at once; its sockets follow within milliseconds, on a busy machine within seconds. */
const DEADLINE_MS = 10_000;

export function hookCommand(): Command {
  const hook = new Command('hook').description('What the scripts in tools/hooks call');
  forInstance(
    hook
      .command('libvirt <guest> <operation> <suboperation> [extra]')
      .description('A qemu hook of libvirt: attach at "prepare begin", detach at "release end"'),
  )
    .option('--run <folder>', 'where it notes which guest wants which device', '/run/holdfast/libvirt')
    .option(
      '--deadline <seconds>',
      'how long sessions of a stopped guest may take to end (default: 10)',
      parseSeconds,
    )
    .addHelpText('after', '\nThe domain in XML is read from standard input. Other operations do nothing.')
    .action(
      async (
        guest: string,
        operation: string,
        suboperation: string,
        _extra: unknown,
        options: LibvirtOptions,
      ) => {
        const what = `${operation} ${suboperation}`;
        if (what !== 'prepare begin' && what !== 'release end') return;
        // What is detached was noted at its attach: a domain that cannot be read must not keep it.
        const xml = what === 'prepare begin' ? await readDomain() : '';
        await withInstance(options, async (instance) => {
          const note = (sentence: string) => {
            printNote(sentence, options.json ?? false);
          };
          const wants = new Wants(options.run);
          const libvirt = new LibvirtHook({
            instance,
            wants,
            detachMs: options.deadline ?? DEADLINE_MS,
            note,
          });
          await (what === 'prepare begin' ? libvirt.prepare(guest, xml) : libvirt.release(guest));
        });
      },
    );
  return hook;
}

/** All of standard input, up to the limit. @throws HoldfastError INVALID_ARGUMENT */
async function readDomain(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > DOMAIN_XML_BYTES_MAX) {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        `the domain's XML is longer than ${String(DOMAIN_XML_BYTES_MAX)} bytes`,
        { field: 'domain' },
      );
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}
