import { deviceName, toDuration } from '@holdfast/contracts';
import { Command } from 'commander';
import { lastSegment } from '../output/size.js';
import { printJson, printNote } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { showDevice } from './device-text.js';
import { parseSeconds } from './parse-seconds.js';

/** Beyond the wait for sessions: cutting them off, releasing their leases, and letting go of the device. */
const CUT_MS = 30_000;

interface DetachOptions extends CommonOptions {
  /** In milliseconds. */
  readonly deadline?: number;
  readonly force: boolean;
}

export function detachCommand(): Command {
  return forInstance(
    new Command('detach')
      .description('Close a device everywhere; refused while sessions use it')
      .argument('<name>', 'the device'),
  )
    .option(
      '--deadline <seconds>',
      'wait so long for its sessions to end; new ones are refused',
      parseSeconds,
    )
    .option('--force', 'then cut off the sessions that are left', false)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast device detach vm1 --deadline 30\n  holdfast device detach vm1 --deadline 10 --force',
    )
    .action((name: string, options: DetachOptions) =>
      withInstance(options, async ({ devices }) => {
        const drainTimeout = options.deadline === undefined ? undefined : toDuration(options.deadline);
        const request = { name: deviceName.format(name), drainTimeout, force: options.force };
        const deadlineMs = (options.deadline ?? 0) + CUT_MS;
        const { device, cutSessions } = await devices.detachDevice(request, { deadlineMs });
        const json = options.json ?? false;
        if (cutSessions.length > 0) {
          printNote(
            `cut off ${String(cutSessions.length)}: ${cutSessions.map(lastSegment).join(', ')}`,
            json,
          );
        }
        if (device !== undefined) {
          showDevice(device, options);
          return;
        }
        // Undoing what is not there is done; whoever misspelt a name should hear of it all the same.
        printNote(`there is no device "${name}", so nothing was detached`, json);
        if (json) printJson(null);
      }),
    );
}
