import { allocatorName, deviceName, exportName, gatewayV1, mapName } from '@holdfast/contracts';
import { Command } from 'commander';
import { printFacts, printJson, printTable } from '../output/print.js';
import { lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { policyFacts, policyOf, withPolicy, type PolicyOptions } from './export-policy.js';
import { limitCommand, rateOf, withRate, type RateOptions } from './export-rate.js';

const { Export } = gatewayV1;

const EXAMPLES = `
Examples:
  holdfast export add vm1 --device vm1 --read-only
  holdfast export add vm2 --device vm2 --allow 192.0.2.0/24 --allow uid:1000
  holdfast export add volume1 --map volume1 --field chunk --allocator pool`;

interface AddOptions extends CommonOptions, PolicyOptions, RateOptions {
  readonly device?: string;
  readonly map?: string;
  readonly field?: string;
  readonly allocator?: string;
  readonly readOnly?: boolean;
  readonly description?: string;
}

export function exportCommand(): Command {
  const command = new Command('export').description('Publish devices, or chunks of them, to NBD clients');

  forInstance(
    withRate(
      withPolicy(
        command.command('add <name>').description('Publish a device, or the chunks that a map holds'),
      ),
    ),
  )
    .option('--device <name>', 'the device to publish')
    .option('--map <name>', 'the map to publish the chunks of, in the order of its entries')
    .option('--field <name>', 'the field of the map')
    .option('--allocator <name>', 'the allocator of the chunks')
    .option('--read-only', 'clients may only read')
    .option('--description <text>', 'shown to clients that list exports')
    .addHelpText('after', EXAMPLES)
    .action((name: string, options: AddOptions, add: Command) => {
      const published = publishedOf(options, add);
      return withInstance(options, async ({ exports }) => {
        const created = await exports.createExport({
          exportId: name,
          export: Export.fromPartial({
            ...published,
            readOnly: options.readOnly ?? false,
            description: options.description ?? '',
            ...policyOf(options),
            rateLimit: rateOf(options),
          }),
        });
        show(created, options);
      });
    });

  forInstance(command.command('list').description('List exports')).action((options: CommonOptions) =>
    withInstance(options, async (instance) => {
      const exports = await instance.listExports();
      if (options.json === true) printJson(exports.map((one) => Export.toJSON(one)));
      else printTable(['NAME', 'DEVICE', 'MODE', 'URI'], exports.map(row));
    }),
  );

  forInstance(command.command('show <name>').description('Show one export')).action(
    (name: string, options: CommonOptions) =>
      withInstance(options, async ({ exports }) => {
        show(await exports.getExport({ name: exportName.format(name) }), options);
      }),
  );

  command.addCommand(limitCommand(show));

  forInstance(
    command.command('remove <name>').description('Withdraw an export: nobody new finds it, sessions go on'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ exports }) => {
      await exports.deleteExport({ name: exportName.format(name) });
    }),
  );
  return command;
}

/** Ends the command with a usage error unless it is a device, or map, field and allocator. */
function publishedOf(
  { device, map, field, allocator }: AddOptions,
  command: Command,
): Partial<gatewayV1.Export> {
  if (device !== undefined && map === undefined && field === undefined && allocator === undefined) {
    return { device: deviceName.format(device) };
  }
  if (device === undefined && map !== undefined && field !== undefined && allocator !== undefined) {
    return { chunks: { map: mapName.format(map), field, allocator: allocatorName.format(allocator) } };
  }
  command.error('error: give either --device, or --map, --field and --allocator');
}

function show(one: gatewayV1.Export, options: CommonOptions): void {
  if (options.json === true) {
    printJson(Export.toJSON(one));
    return;
  }
  printFacts({
    name: lastSegment(one.name),
    device: lastSegment(one.device),
    ...chunkFacts(one),
    mode: mode(one),
    ...(one.description === '' ? {} : { description: one.description }),
    ...policyFacts(one),
    ...Object.fromEntries(one.uris.map((uri) => [/^nbds?\+unix:/.test(uri) ? 'unix' : 'tcp', uri])),
  });
}

function chunkFacts({ chunks }: gatewayV1.Export): Record<string, string> {
  if (chunks === undefined) return {};
  return {
    map: lastSegment(chunks.map),
    field: chunks.field,
    allocator: lastSegment(chunks.allocator),
  };
}

function row(one: gatewayV1.Export): string[] {
  return [lastSegment(one.name), lastSegment(one.device), mode(one), one.uris[0] ?? ''];
}

function mode(one: gatewayV1.Export): string {
  return one.effectiveReadOnly ? 'read-only' : 'read-write';
}
