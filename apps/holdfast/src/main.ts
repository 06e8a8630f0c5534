import { Command } from 'commander';
import { allocatorCommand } from './commands/allocator.js';
import { deviceCommand } from './commands/device.js';
import { exportCommand } from './commands/export.js';
import { hookCommand } from './commands/hook.js';
import { leaseCommand } from './commands/lease.js';
import { ledgerCommand } from './commands/ledger.js';
import { mapCommand } from './commands/map.js';
import { programCommand } from './commands/program.js';
import { tableCommand } from './commands/table.js';
import { nbdCommand } from './commands/nbd.js';
import { serveCommand } from './commands/serve.js';
import { sessionCommand } from './commands/session.js';
import { statusCommand } from './commands/status.js';
import { tlsCommand } from './commands/tls.js';
import { workerCommand } from './commands/worker.js';
import { reportError, wantsJson } from './output/report-error.js';

process.title = 'holdfast';

const json = wantsJson(process.argv.slice(2));
const program = new Command('holdfast')
  .description('Serves block devices over NBD and never lets go of one early.')
  .version('0.1.0')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 no (not there, not running), 64 wrong usage.');

for (const command of [
  serveCommand(),
  statusCommand(),
  deviceCommand(),
  exportCommand(),
  sessionCommand(),
  leaseCommand(),
  ledgerCommand(),
  workerCommand(),
  allocatorCommand(),
  mapCommand(),
  programCommand(),
  tableCommand(),
  nbdCommand(),
  tlsCommand(),
  hookCommand(),
]) {
  program.addCommand(command);
}
reportErrorsHere(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError(error, json);
}

/** Commander's own exits use code 1 for everything, and its errors know no JSON. */
function reportErrorsHere(command: Command): void {
  command.exitOverride();
  if (json) command.configureOutput({ outputError: () => undefined });
  for (const child of command.commands) reportErrorsHere(child);
}
