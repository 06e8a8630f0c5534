import { Command } from 'commander';
import { checkCommand } from './nbd/check.js';
import { copyCommand } from './nbd/copy.js';
import { infoCommand } from './nbd/info.js';
import { listCommand } from './nbd/list.js';
import { mapCommand } from './nbd/map.js';

export function nbdCommand(): Command {
  return new Command('nbd')
    .description('Look at the exports of any NBD server, copy them, and check how it keeps to the protocol')
    .addCommand(infoCommand())
    .addCommand(listCommand())
    .addCommand(mapCommand())
    .addCommand(copyCommand())
    .addCommand(checkCommand())
    .addHelpText(
      'after',
      '\nURI is nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH, with TLS nbds:// or nbds+unix://.',
    );
}
