import { deviceName, registryV1 } from '@holdfast/contracts';
import { Command } from 'commander';
import { printFacts, printJson, printNote, printTable } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { backingFacts, backingOf, withBacking, type BackingOptions } from './device-backing.js';

const { Device } = registryV1;

interface AddOptions extends CommonOptions, BackingOptions {
  readonly readOnly?: boolean;
}

interface AttachOptions extends CommonOptions {
  readonly expectDiskseq?: string;
}

export function deviceCommand(): Command {
  const device = new Command('device').description('Register, attach and detach devices');

  forInstance(
    withBacking(device.command('add <name>').description('Register a device; nothing is opened yet')),
  )
    .option('--read-only', 'open it for reading only')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast device add vm1 --path /srv/vm1.img\n  holdfast device add part --kind loop --path /srv/disk.img --offset 1M --size 10G\n  holdfast device add db --kind block --path /dev/mapper/vg-db --dm-name vg-db',
    )
    .action((name: string, options: AddOptions, command: Command) => {
      const backing = backingOf(options, command);
      return withInstance(options, async ({ devices }) => {
        const definition = Device.fromPartial({ readOnly: options.readOnly ?? false });
        const created = await devices.createDevice({ deviceId: name, device: { ...definition, backing } });
        show(created, options);
      });
    });

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
  )
    .option('--expect-diskseq <hex>', 'refuse a block device that has another disk sequence number')
    .action((name: string, options: AttachOptions) =>
      withInstance(options, async ({ devices }) => {
        const request = { name: deviceName.format(name), expectedDiskseq: options.expectDiskseq };
        show(await devices.attachDevice(request), options);
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
    ...backingFacts(device.backing),
    mode: mode(device),
    state: stateOf(device),
    ...(attachment === undefined ? {} : { size: sizeOf(device), epoch: attachment.epoch.toString() }),
    ...(attachment?.identity === undefined
      ? {}
      : { identity: identityText(attachment.identity), verified: verifiedText(attachment) }),
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

function verifiedText({ verification }: registryV1.Attachment): string {
  return verification === registryV1.Attachment_Verification.VERIFICATION_VERIFIED
    ? 'yes'
    : 'no: the path alone says which device it is';
}

function identityText(identity: registryV1.Identity): string {
  const { major, minor, inode, diskseq } = identity;
  const which = diskseq === '' ? `inode ${inode.toString()}` : `diskseq ${diskseq}`;
  return `${String(major)}:${String(minor)} ${which}, boot ${identity.bootId}`;
}
