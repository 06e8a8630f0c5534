import { registryV1 } from '@holdfast/contracts';
import { Command } from 'commander';
import { printJson, printTable } from '../output/print.js';
import { lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

export function leaseCommand(): Command {
  const command = new Command('lease').description('See what keeps devices from being closed');
  forInstance(command.command('list').description('List live leases')).action((options: CommonOptions) =>
    withInstance(options, async (instance) => {
      const leases = await instance.listLeases();
      if (options.json === true) printJson(leases.map((lease) => registryV1.Lease.toJSON(lease)));
      else printTable(['LEASE', 'DEVICE', 'ACCESS', 'EPOCH', 'SESSION', 'SINCE'], leases.map(row));
    }),
  );
  return command;
}

function row(lease: registryV1.Lease): string[] {
  return [
    lastSegment(lease.name),
    lastSegment(lease.device),
    registryV1.accessToJSON(lease.access).replace('ACCESS_', '').replace('_', '-').toLowerCase(),
    lease.epoch.toString(),
    lastSegment(lease.session),
    lease.createTime?.toISOString() ?? '',
  ];
}
