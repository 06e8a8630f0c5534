import { mapName, verifierV1 } from '@holdfast/contracts';
import { Command, InvalidArgumentError } from 'commander';
import { printFacts, printJson, printTable } from '../output/print.js';
import { lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const { Map: MapMessage, MapValue } = verifierV1;

/** Handles that `map show` prints; a map may have millions. */
const VALUES_SHOWN = 1000;

interface CreateOptions extends CommonOptions {
  readonly entries: number;
  readonly field: readonly string[];
}

export function mapCommand(): Command {
  const map = new Command('map').description('Keep the tables that hold chunks');

  forInstance(map.command('create <name>').description('Create a map, every field of which is null'))
    .requiredOption('--entries <count>', 'how many entries it has', parseCount)
    .requiredOption(
      '--field <name>',
      'a field that each entry has, for the handle of a chunk; may be repeated',
      (value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value],
    )
    .addHelpText('after', '\nExample:\n  holdfast map create volume1 --entries 256 --field chunk')
    .action((name: string, { entries, field, ...options }: CreateOptions) =>
      withInstance(options, async ({ maps }) => {
        const fields = field.map((one) => ({ name: one, type: verifierV1.MapField_Type.TYPE_CHUNK }));
        show(
          await maps.createMap({ mapId: name, map: MapMessage.fromPartial({ entries, fields }) }),
          [],
          options,
        );
      }),
    );

  forInstance(map.command('list').description('List maps')).action((options: CommonOptions) =>
    withInstance(options, async (instance) => {
      const maps = await instance.listMaps();
      if (options.json === true) printJson(maps.map((one) => MapMessage.toJSON(one)));
      else printTable(['NAME', 'ENTRIES', 'FIELDS'], maps.map(row));
    }),
  );

  forInstance(
    map
      .command('show <name>')
      .description(`Show one map, and the first ${String(VALUES_SHOWN)} chunks that it holds`),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ maps }) => {
      const request = { name: mapName.format(name), pageSize: VALUES_SHOWN, pageToken: '' };
      const [shown, { values }] = [await maps.getMap(request), await maps.listMapValues(request)];
      show(shown, values, options);
    }),
  );

  forInstance(map.command('free <name>').description('Free what a map holds, and the map')).action(
    (name: string, options: CommonOptions) =>
      withInstance(options, async ({ maps }) => {
        await maps.freeMap({ name: mapName.format(name) });
      }),
  );
  return map;
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number, 1 or more.');
}

function show(map: verifierV1.Map, values: readonly verifierV1.MapValue[], options: CommonOptions): void {
  if (options.json === true) {
    const held = values.map((value) => MapValue.toJSON(value));
    printJson({ ...(MapMessage.toJSON(map) as object), values: held });
    return;
  }
  const [name = '', entries = '', fields = ''] = row(map);
  printFacts({ name, entries, fields });
  if (values.length === 0) return;
  printTable(
    ['FIELD', 'ENTRY', 'ALLOCATOR', 'CHUNK', 'USE'],
    values.map(({ field, entry, allocatorNumber, chunk, generation }) =>
      [field, entry, allocatorNumber, chunk, (generation + 1) / 2].map(String),
    ),
  );
}

function row({ name, entries, fields }: verifierV1.Map): string[] {
  return [lastSegment(name), String(entries), fields.map((field) => field.name).join(', ')];
}
