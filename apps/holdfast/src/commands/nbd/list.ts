import { Command } from 'commander';

export function listCommand(): Command {
  return new Command('list')
    .description('List the exports of a server, with what it says about each')
    .argument('<uri>', 'the server; the name of an export in it is ignored')
    .option('--json', 'print JSON')
    .action(async (uri: string, { json = false }: { readonly json?: boolean }) => {
      const { printList } = await import('../../nbd/info/list-exports.js');
      process.exitCode = await printList(uri, json);
    });
}
