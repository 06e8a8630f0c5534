import { verifierV1 } from '@holdfast/contracts';
import { Command } from 'commander';
import { printJson, printNote, printTable } from '../output/print.js';
import { drawTable } from '../output/table-svg.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const { Table } = verifierV1;

interface ShowOptions extends CommonOptions {
  readonly dot?: boolean;
  readonly svg?: boolean;
}

export function tableCommand(): Command {
  const table = new Command('table').description('Look at what keeps allocators alive');
  forInstance(
    table
      .command('show')
      .description(
        'Show the dependency table: what programs do to fields, and which fields have one allocator',
      ),
  )
    .option('--dot', 'print it as a graph, in the language of Graphviz')
    .option('--svg', 'print it as a picture')
    .addHelpText('after', '\nExample:\n  holdfast table show --svg > table.svg')
    .action(({ dot = false, svg = false, ...options }: ShowOptions) =>
      withInstance(options, async ({ tables }) => {
        const shown = await tables.showTable({});
        if (shown.rowsLeftOut > 0n) {
          printNote(`${shown.rowsLeftOut.toString()} rows are left out`, options.json === true);
        }
        if (dot) process.stdout.write(shown.dot);
        else if (svg) process.stdout.write(drawTable(shown));
        else if (options.json === true) printJson(Table.toJSON(shown));
        else print(shown);
      }),
    );
  return table;
}

function print({ rows, chains }: verifierV1.Table): void {
  printTable(['PROGRAM', 'ROW', 'LOADED'], rows.map(row));
  process.stdout.write('\n');
  printTable(
    ['FIELDS', 'ALLOCATOR', 'ROWS IN USE'],
    chains.map(({ fields, allocator, liveRows }) => [
      fields.join(' = '),
      allocator === '' ? '-' : allocator,
      String(liveRows),
    ]),
  );
}

function row({ kind, program, field, otherField, allocator, discardable }: verifierV1.TableRow): string[] {
  return [program, sayingOf({ kind, field, otherField, allocator }), discardable ? 'no' : 'yes'];
}

function sayingOf({
  kind,
  field,
  otherField,
  allocator,
}: Pick<verifierV1.TableRow, 'kind' | 'field' | 'otherField' | 'allocator'>): string {
  if (kind === verifierV1.TableRow_Kind.KIND_STORES) return `S ${allocator} -> ${field}`;
  return kind === verifierV1.TableRow_Kind.KIND_MOVES ? `E ${field} = ${otherField}` : `U ${field}`;
}
