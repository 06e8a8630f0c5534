import { Command } from 'commander';
import { copyCommand } from './nbd/copy.js';
import { infoCommand } from './nbd/info.js';
import { listCommand } from './nbd/list.js';
import { mapCommand } from './nbd/map.js';

export function nbdCommand(): Command {
  return new Command('nbd')
    .description('Look at the exports of any NBD server, and copy them')
    .addCommand(infoCommand())
    .addCommand(listCommand())
    .addCommand(mapCommand())
    .addCommand(copyCommand())
    .addHelpText(
      'after',
      '\nURI is nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH, with TLS nbds:// or nbds+unix://.',
    );
}
