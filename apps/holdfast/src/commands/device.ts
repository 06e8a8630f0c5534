import path from 'node:path';
import { deviceName, registryV1 } from '@holdfast/contracts';
import { Command, Option } from 'commander';
import { printFacts, printJson, printNote, printTable } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const { Device } = registryV1;

interface AddOptions extends CommonOptions {
  readonly kind: 'file';
  readonly path: string;
  readonly readOnly?: boolean;
}

export function deviceCommand(): Command {
  const device = new Command('device').description('Register, attach and detach devices');

  forInstance(device.command('add <name>').description('Register a device; nothing is opened yet'))
    .addOption(new Option('--kind <kind>', 'what it is made from').choices(['file']).default('file'))
    .requiredOption('--path <path>', 'an image file or a block device')
    .option('--read-only', 'open it for reading only')
    .addHelpText('after', '\nExample:\n  holdfast device add vm1 --kind file --path /srv/vm1.img')
    .action((name: string, options: AddOptions) =>
      withInstance(options, async ({ devices }) => {
        const created = await devices.createDevice({
          deviceId: name,
          device: Device.fromPartial({
            backing: { $case: 'file', value: { path: path.resolve(options.path) } },
            readOnly: options.readOnly ?? false,
          }),
        });
        show(created, options);
      }),
    );

  forInstance(device.command('list').description('List devices')).action((options: CommonOptions) =>
    withInstance(options, async (instance) => {
      const devices = await instance.listDevices();
      if (options.json === true) printJson(devices.map((one) => Device.toJSON(one)));
      else printTable(['NAME', 'STATE', 'SIZE', 'MODE', 'PATH'], devices.map(row));
    }),
  );

  forInstance(device.command('show <name>').description('Show one device')).action(
    (name: string, options: CommonOptions) =>
      withInstance(options, async ({ devices }) => {
        show(await devices.getDevice({ name: deviceName.format(name) }), options);
      }),
  );

  forInstance(
    device.command('remove <name>').description('Detach and forget a device; its data stays'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ devices }) => {
      await devices.deleteDevice({ name: deviceName.format(name) });
    }),
  );

  forInstance(
    device
      .command('attach <name>')
      .description('Open a device and hand it to the I/O worker; it stays attached'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ devices }) => {
      show(await devices.attachDevice({ name: deviceName.format(name) }), options);
    }),
  );

  forInstance(
    device.command('detach <name>').description('Close a device everywhere; refused while sessions use it'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ devices }) => {
      const device = await devices.detachDevice({ name: deviceName.format(name) });
      // Undoing what is not there is done; whoever misspelt a name should hear of it all the same.
      if (device.createTime === undefined) tellAbsent(name, options);
      else show(device, options);
    }),
  );
  return device;
}

function tellAbsent(name: string, { json = false }: CommonOptions): void {
  printNote(`there is no device "${name}", so nothing was detached`, json);
  if (json) printJson(null);
}

function show(device: registryV1.Device, options: CommonOptions): void {
  if (options.json === true) {
    printJson(Device.toJSON(device));
    return;
  }
  const { attachment } = device;
  printFacts({
    name: lastSegment(device.name),
    path: device.backing?.value.path ?? '',
    mode: mode(device),
    state: stateOf(device),
    ...(attachment === undefined ? {} : { size: sizeOf(device), epoch: attachment.epoch.toString() }),
    ...(attachment?.identity === undefined ? {} : { identity: identityText(attachment.identity) }),
    ...(attachment?.errorMessage ? { error: `${attachment.errorReason}: ${attachment.errorMessage}` } : {}),
  });
}

function row(device: registryV1.Device): string[] {
  return [
    lastSegment(device.name),
    stateOf(device),
    sizeOf(device),
    mode(device),
    device.backing?.value.path ?? '',
  ];
}

function mode(device: registryV1.Device): string {
  return device.readOnly ? 'read-only' : 'read-write';
}

function sizeOf({ attachment }: registryV1.Device): string {
  // Whoever was never identified was never opened.
  return attachment?.identity === undefined ? '-' : formatSize(attachment.sizeBytes);
}

/** `connected`, `failed`, …; `registered` before the first attach. */
function stateOf({ attachment }: registryV1.Device): string {
  if (attachment === undefined) return 'registered';
  return registryV1.attachment_StateToJSON(attachment.state).replace('STATE_', '').toLowerCase();
}

function identityText(identity: registryV1.Identity): string {
  const { major, minor, inode, diskseq } = identity;
  const which = diskseq === '' ? `inode ${inode.toString()}` : `diskseq ${diskseq}`;
  return `${String(major)}:${String(minor)} ${which}, boot ${identity.bootId}`;
}
