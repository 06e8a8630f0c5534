import { randomUUID } from 'node:crypto';
import { deviceName } from '@holdfast/contracts';
import { Command, Option } from 'commander';
import { printNote } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { showDevice } from './device-text.js';
import { parseSeconds } from './parse-seconds.js';
import { untilItMay } from './until-it-may.js';

/** Seconds for `--wait` alone: as long as a machine takes to bring up its disks. */
const WAIT_SECONDS = '60';

interface AttachOptions extends CommonOptions {
  readonly expectDiskseq?: string;
  /** In milliseconds. */
  readonly wait?: number;
}

export function attachCommand(): Command {
  return forInstance(
    new Command('attach')
      .description('Open a device and hand it to the I/O worker; it stays attached')
      .argument('<name>', 'the device'),
  )
    .option('--expect-diskseq <hex>', 'refuse a block device that has another disk sequence number')
    .addOption(
      new Option(
        '--wait [seconds]',
        'wait for a path that is not there yet, for a device that is busy or locked, and for services that are being ' +
          `restarted; ${WAIT_SECONDS} seconds unless told`,
      )
        .preset(WAIT_SECONDS)
        .argParser(parseSeconds),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast device attach vm1\n  holdfast device attach vm1 --wait 30' +
        '\n\nExit codes: 0 attached, 1 failed, or not possible within the time (the error is that of the last attempt), 2 no ' +
        'such device.',
    )
    .action((name: string, options: AttachOptions) =>
      withInstance(options, async ({ devices }) => {
        const request = {
          name: deviceName.format(name),
          expectedDiskseq: options.expectDiskseq,
          // An answer that is lost with its service does not make a second attach.
          requestId: randomUUID(),
        };
        const json = options.json ?? false;
        const device = await untilItMay(
          options.wait ?? 0,
          () => devices.attachDevice(request),
          (sentence) => {
            printNote(sentence, json);
          },
        );
        showDevice(device, options);
      }),
    );
}
