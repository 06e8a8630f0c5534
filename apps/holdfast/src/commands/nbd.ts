import { Command } from 'commander';
import { infoCommand } from './nbd/info.js';
import { listCommand } from './nbd/list.js';
import { mapCommand } from './nbd/map.js';

export function nbdCommand(): Command {
  return new Command('nbd')
    .description('Look at exports of any NBD server')
    .addCommand(infoCommand())
    .addCommand(listCommand())
    .addCommand(mapCommand())
    .addHelpText(
      'after',
      '\nURI is nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH, with TLS nbds:// or nbds+unix://.',
    );
}
