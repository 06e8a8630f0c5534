import { deviceName, registryV1 } from '@holdfast/contracts';
import { Command } from 'commander';
import { jsonLine } from '../output/print.js';
import { lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const { DeviceChange } = registryV1;

interface WatchOptions extends CommonOptions {
  readonly since?: string;
}

export function watchCommand(): Command {
  return forInstance(
    new Command('watch')
      .description('Print every change of devices and leases as it happens, until ^C')
      .argument('[name]', 'one device only'),
  )
    .option(
      '--since <token>',
      'first those after a resume token of the JSON output; 0: all that are recorded',
    )
    .action((name: string | undefined, options: WatchOptions) =>
      withInstance(options, async ({ devices }) => {
        const request = {
          name: name === undefined ? '' : deviceName.format(name),
          resumeToken: options.since ?? '',
        };
        for await (const change of devices.watchDevices(request)) {
          const known = change as registryV1.DeviceChange;
          process.stdout.write(options.json === true ? jsonLine(DeviceChange.toJSON(known)) : lineOf(known));
        }
      }),
    );
}

function lineOf({ time, device, lease, from, to, actor, reason }: registryV1.DeviceChange): string {
  const subject = lease === '' ? lastSegment(device) : `${lastSegment(device)} lease ${lastSegment(lease)}`;
  const isSame = from === '' || from === to;
  const change = isSame ? to.toLowerCase() : `${from.toLowerCase()} → ${to.toLowerCase()}`;
  const why = reason === '' ? actor : `${actor}: ${reason}`;
  return `${time?.toISOString() ?? ''}  ${subject}: ${change} (${why})\n`;
}
