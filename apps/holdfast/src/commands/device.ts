import { deviceName, registryV1 } from '@holdfast/contracts';
import { Command, Option } from 'commander';
import { printJson, printTable } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { backingOf, withBacking, type BackingOptions } from './device-backing.js';
import { attachCommand } from './device-attach.js';
import { detachCommand } from './device-detach.js';
import { explainCommand } from './device-explain.js';
import { nodeCommand } from './device-node.js';
import { deviceRow, showDevice } from './device-text.js';
import { watchCommand } from './device-watch.js';

const { Device } = registryV1;

interface AddOptions extends CommonOptions, BackingOptions {
  readonly readOnly?: boolean;
  readonly reattach: 'auto' | 'manual';
}

export function deviceCommand(): Command {
  const device = new Command('device').description('Register, attach and detach devices');

  forInstance(
    withBacking(device.command('add <name>').description('Register a device; nothing is opened yet')),
  )
    .option('--read-only', 'open it for reading only')
    .addOption(
      new Option(
        '--reattach <how>',
        'after a crash or a restart: by itself when something tells that it is the same device, or by hand only',
      )
        .choices(['auto', 'manual'])
        .default('auto'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast device add vm1 --path /srv/vm1.img\n  holdfast device add part --kind loop --path /srv/disk.img --offset 1M --size 10G\n  holdfast device add db --kind block --path /dev/mapper/vg-db --dm-name vg-db\n  holdfast device add far --kind nbd --uri nbd://storage.example/vm1',
    )
    .action((name: string, options: AddOptions, command: Command) => {
      const backing = backingOf(options, command);
      return withInstance(options, async ({ devices }) => {
        const { REATTACHMENT_AUTOMATIC, REATTACHMENT_MANUAL } = registryV1.Device_Reattachment;
        const definition = Device.fromPartial({
          readOnly: options.readOnly ?? false,
          reattachment: options.reattach === 'manual' ? REATTACHMENT_MANUAL : REATTACHMENT_AUTOMATIC,
        });
        const created = await devices.createDevice({ deviceId: name, device: { ...definition, backing } });
        showDevice(created, options);
      });
    });

  forInstance(device.command('list').description('List devices')).action((options: CommonOptions) =>
    withInstance(options, async (instance) => {
      const devices = await instance.listDevices();
      if (options.json === true) printJson(devices.map((one) => Device.toJSON(one)));
      else printTable(['NAME', 'STATE', 'SIZE', 'MODE', 'PATH OR URI'], devices.map(deviceRow));
    }),
  );

  forInstance(device.command('show <name>').description('Show one device')).action(
    (name: string, options: CommonOptions) =>
      withInstance(options, async ({ devices }) => {
        showDevice(await devices.getDevice({ name: deviceName.format(name) }), options);
      }),
  );

  forInstance(
    device.command('remove <name>').description('Detach and forget a device; its data stays'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ devices }) => {
      await devices.deleteDevice({ name: deviceName.format(name) });
    }),
  );

  device.addCommand(attachCommand());
  device.addCommand(detachCommand());
  device.addCommand(nodeCommand());
  device.addCommand(explainCommand());
  device.addCommand(watchCommand());
  return device;
}
