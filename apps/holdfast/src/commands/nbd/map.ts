import { Command } from 'commander';

interface MapOptions {
  readonly context: string;
  readonly json?: boolean;
  readonly totals?: boolean;
}

export function mapCommand(): Command {
  return new Command('map')
    .description('Show which parts of an export hold data, or what else a metadata context tells')
    .argument('<uri>', 'the export')
    .option('--context <name>', 'metadata context; `nbd info` lists them', 'base:allocation')
    .option('--totals', 'print how much there is of each type')
    .option('--json', 'print JSON')
    .action(async (uri: string, { context, json = false, totals = false }: MapOptions) => {
      const { printMap, printTotals } = await import('../../nbd/map/print-map.js');
      await (totals ? printTotals(uri, context, json) : printMap(uri, context, json));
    });
}
