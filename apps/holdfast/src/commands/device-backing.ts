import path from 'node:path';
import { registryV1, toDuration } from '@holdfast/contracts';
import { Option, type Command } from 'commander';
import { parseBytes } from './parse-bytes.js';
import { parseSeconds } from './parse-seconds.js';

/** What `device add` takes of what the device is made from. */
export interface BackingOptions {
  readonly kind: 'file' | 'loop' | 'block' | 'nbd';
  readonly path?: string;
  readonly offset?: bigint;
  readonly size?: bigint;
  readonly blockSize?: bigint;
  readonly directIo?: boolean;
  readonly diskseq?: string;
  readonly dmName?: string;
  readonly dmUuid?: string;
  readonly wwn?: string;
  readonly serial?: string;
  readonly uri?: string;
  readonly onDisconnect?: 'replay' | 'fail';
  /** In milliseconds. */
  readonly reconnectTimeout?: number;
}

type Backing = NonNullable<registryV1.Device['backing']>;

const { NbdBacking_OnDisconnect: OnDisconnect } = registryV1;
const modes = { replay: OnDisconnect.ON_DISCONNECT_REPLAY, fail: OnDisconnect.ON_DISCONNECT_FAIL } as const;

/** Options that only one kind has. */
const onlyOf = {
  loop: ['offset', 'size', 'blockSize'],
  block: ['diskseq', 'dmName', 'dmUuid', 'wwn', 'serial'],
  nbd: ['uri', 'onDisconnect', 'reconnectTimeout'],
} as const satisfies Record<string, readonly (keyof BackingOptions)[]>;

export function withBacking(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--kind <kind>',
        "what it is made from: a file, a loop device over a file, a block device, another NBD server's export",
      )
        .choices(['file', 'loop', 'block', 'nbd'])
        .default('file'),
    )
    .option('--path <path>', 'file, loop, block: an image file or a block device')
    .addOption(bytes('--offset <bytes>', 'loop: where in the file the device starts'))
    .addOption(bytes('--size <bytes>', 'loop: size of the device, if not to the end of the file'))
    .addOption(bytes('--block-size <bytes>', 'loop: logical block size, 512 to 65536'))
    .option('--direct-io', 'file, loop, block: read and write it past the page cache')
    .option('--diskseq <hex>', 'block: the disk sequence number that it must have')
    .option('--dm-name <name>', 'block: the device-mapper name that it must have')
    .option('--dm-uuid <uuid>', 'block: the device-mapper UUID that it must have')
    .option('--wwn <wwn>', 'block: the World Wide Name that it must have')
    .option('--serial <serial>', 'block: the serial number that it must have')
    .option('--uri <uri>', 'nbd: where the export is, as in nbd://host/export; paths in it are absolute')
    .addOption(
      new Option(
        '--on-disconnect <mode>',
        'nbd: whether requests that the server has not answered wait and are sent again, or fail (default: replay)',
      ).choices(['replay', 'fail']),
    )
    .option(
      '--reconnect-timeout <seconds>',
      'nbd: how long they wait before they fail (default: 60)',
      parseSeconds,
    );
}

/** Ends the command with a usage error when an option belongs to another kind. */
export function backingOf(options: BackingOptions, command: Command): Backing {
  for (const [kind, names] of Object.entries(onlyOf)) {
    const stray = kind === options.kind ? undefined : names.find((name) => options[name] !== undefined);
    if (stray !== undefined) command.error(`error: option '${flagOf(stray)}' is for --kind ${kind}`);
  }
  if (options.kind === 'nbd') return { $case: 'nbd', value: nbdOf(options, command) };
  const { directIo = false } = options;
  if (options.path === undefined) command.error(`error: --kind ${options.kind} needs option '--path <path>'`);
  const location = path.resolve(options.path);
  switch (options.kind) {
    case 'file':
      return { $case: 'file', value: { path: location, directIo } };
    case 'loop': {
      const { offset = 0n, size = 0n, blockSize = 0n } = options;
      const value = { path: location, offset, sizeLimit: size, blockSize: Number(blockSize), directIo };
      return { $case: 'loop', value };
    }
    case 'block': {
      const { diskseq = '', dmName = '', dmUuid = '', wwn = '', serial = '' } = options;
      const expected = { diskseq, dmName, dmUuid, wwn, serial, diskseqBootId: '' };
      return { $case: 'block', value: { path: location, ...expected, directIo } };
    }
  }
}

function nbdOf(options: BackingOptions, command: Command): registryV1.NbdBacking {
  const { uri, onDisconnect, reconnectTimeout } = options;
  if (options.path !== undefined) command.error("error: option '--path' is not for --kind nbd");
  if (options.directIo === true) command.error("error: option '--direct-io' is not for --kind nbd");
  if (uri === undefined) command.error("error: --kind nbd needs option '--uri <uri>'");
  return {
    uri,
    onDisconnect: onDisconnect === undefined ? OnDisconnect.ON_DISCONNECT_UNSPECIFIED : modes[onDisconnect],
    reconnectTimeout: reconnectTimeout === undefined ? undefined : toDuration(reconnectTimeout),
  };
}

function bytes(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseBytes);
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
