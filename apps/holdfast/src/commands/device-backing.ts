import path from 'node:path';
import type { registryV1 } from '@holdfast/contracts';
import { Option, type Command } from 'commander';
import { formatSize } from '../output/size.js';
import { parseBytes } from './parse-bytes.js';

/** What `device add` takes of what the device is made from. */
export interface BackingOptions {
  readonly kind: 'file' | 'loop' | 'block';
  readonly path: string;
  readonly offset?: bigint;
  readonly size?: bigint;
  readonly blockSize?: bigint;
  readonly directIo?: boolean;
  readonly diskseq?: string;
  readonly dmName?: string;
  readonly dmUuid?: string;
  readonly wwn?: string;
  readonly serial?: string;
}

type Backing = NonNullable<registryV1.Device['backing']>;

/** Options that only one kind has. */
const onlyOf = {
  loop: ['offset', 'size', 'blockSize', 'directIo'],
  block: ['diskseq', 'dmName', 'dmUuid', 'wwn', 'serial'],
} as const satisfies Record<string, readonly (keyof BackingOptions)[]>;

export function withBacking(command: Command): Command {
  return command
    .addOption(
      new Option('--kind <kind>', 'what it is made from: a file, a loop device over a file, a block device')
        .choices(['file', 'loop', 'block'])
        .default('file'),
    )
    .requiredOption('--path <path>', 'an image file or a block device')
    .addOption(bytes('--offset <bytes>', 'loop: where in the file the device starts'))
    .addOption(bytes('--size <bytes>', 'loop: size of the device, if not to the end of the file'))
    .addOption(bytes('--block-size <bytes>', 'loop: logical block size, 512 to 65536'))
    .option('--direct-io', 'loop: read and write the file past the page cache')
    .option('--diskseq <hex>', 'block: the disk sequence number that it must have')
    .option('--dm-name <name>', 'block: the device-mapper name that it must have')
    .option('--dm-uuid <uuid>', 'block: the device-mapper UUID that it must have')
    .option('--wwn <wwn>', 'block: the World Wide Name that it must have')
    .option('--serial <serial>', 'block: the serial number that it must have');
}

/** Ends the command with a usage error when an option belongs to another kind. */
export function backingOf(options: BackingOptions, command: Command): Backing {
  for (const [kind, names] of Object.entries(onlyOf)) {
    const stray = kind === options.kind ? undefined : names.find((name) => options[name] !== undefined);
    if (stray !== undefined) command.error(`error: option '${flagOf(stray)}' is for --kind ${kind}`);
  }
  const location = path.resolve(options.path);
  switch (options.kind) {
    case 'file':
      return { $case: 'file', value: { path: location } };
    case 'loop': {
      const { offset = 0n, size = 0n, blockSize = 0n, directIo = false } = options;
      const value = { path: location, offset, sizeLimit: size, blockSize: Number(blockSize), directIo };
      return { $case: 'loop', value };
    }
    case 'block': {
      const { diskseq = '', dmName = '', dmUuid = '', wwn = '', serial = '' } = options;
      const value = { path: location, diskseq, dmName, dmUuid, wwn, serial, diskseqBootId: '' };
      return { $case: 'block', value };
    }
  }
}

/** What a device says of what it is made from; nothing of what was left out. */
export function backingFacts(backing: registryV1.Device['backing']): Record<string, string> {
  if (backing === undefined) return {};
  const facts: Record<string, string> = { kind: backing.$case, path: backing.value.path };
  if (backing.$case === 'loop') {
    const { offset, sizeLimit, blockSize, directIo } = backing.value;
    if (offset > 0n) facts['offset'] = formatSize(offset);
    if (sizeLimit > 0n) facts['size limit'] = formatSize(sizeLimit);
    if (blockSize > 0) facts['block size'] = formatSize(BigInt(blockSize));
    if (directIo) facts['direct I/O'] = 'yes';
  } else if (backing.$case === 'block') {
    const { diskseq, dmName, dmUuid, wwn, serial } = backing.value;
    const expected = {
      diskseq,
      'device-mapper name': dmName,
      'device-mapper UUID': dmUuid,
      WWN: wwn,
      serial,
    };
    for (const [name, value] of Object.entries(expected)) if (value !== '') facts[`expected ${name}`] = value;
  }
  return facts;
}

function bytes(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseBytes);
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
