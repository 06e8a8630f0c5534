import { errorCatalogue, HoldfastError, messageOf } from '@holdfast/foundation';
import { Command, CommanderError } from 'commander';
import { deviceCommand } from './commands/device.js';
import { exportCommand } from './commands/export.js';
import { leaseCommand } from './commands/lease.js';
import { serveCommand } from './commands/serve.js';
import { sessionCommand } from './commands/session.js';
import { statusCommand } from './commands/status.js';
import { isNotFound } from './commands/common.js';
import { ExitCode } from './exit-code.js';

process.title = 'holdfast';

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
]) {
  program.addCommand(command);
}
throwInsteadOfExit(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Commander's own exits use code 1 for everything. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  if (error instanceof HoldfastError) {
    process.stderr.write(`holdfast: ${error.message}\n`);
    if (error.code === 'SERVICE_UNAVAILABLE')
      process.stderr.write(`${errorCatalogue[error.code].recovery}\n`);
    return isNotFound(error) ? ExitCode.no : ExitCode.failed;
  }
  process.stderr.write(
    `holdfast: ${messageOf(error)}\n${error instanceof Error ? (error.stack ?? '') : ''}\n`,
  );
  return ExitCode.failed;
}
