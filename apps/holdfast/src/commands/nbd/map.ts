import { Command } from 'commander';

interface MapOptions {
  readonly context: string;
  readonly json: boolean;
  readonly totals: boolean;
}

export function mapCommand(): Command {
  return new Command('map')
    .description('Show which parts of an export hold data, or what else a metadata context tells')
    .argument('<uri>', 'the export')
    .option('--context <name>', 'metadata context; `nbd info` lists them', 'base:allocation')
    .option('--totals', 'print how much there is of each type', false)
    .option('--json', 'print JSON', false)
    .action(async (uri: string, { context, json, totals }: MapOptions) => {
      const { printMap, printTotals } = await import('../../nbd/map/print-map.js');
      await (totals ? printTotals(uri, context, json) : printMap(uri, context, json));
    });
}
