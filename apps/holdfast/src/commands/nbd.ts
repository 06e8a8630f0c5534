import { Command } from 'commander';
import { infoCommand } from './nbd/info.js';

export function nbdCommand(): Command {
  return new Command('nbd')
    .description('Look at exports of any NBD server')
    .addCommand(infoCommand())
    .addHelpText(
      'after',
      '\nURI is nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH, with TLS nbds:// or nbds+unix://.',
    );
}
