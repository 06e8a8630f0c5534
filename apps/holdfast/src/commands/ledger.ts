import { deviceName, sessionName, toDuration, workerV1 } from '@holdfast/contracts';
import { Command } from 'commander';
import { jsonLine, printJson } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { ledgerLine, showLedger } from './ledger-text.js';
import { parseSeconds } from './parse-seconds.js';

const { Ledger, Pin } = workerV1;

interface ShowOptions extends CommonOptions {
  readonly device?: string;
  readonly session?: string;
}

interface WatchOptions extends CommonOptions {
  /** Milliseconds. */
  readonly interval?: number;
}

export function ledgerCommand(): Command {
  const command = new Command('ledger').description(
    'See which memory the requests of clients rely on, and that all of it is released',
  );

  forInstance(
    command
      .command('show')
      .description('Show the sums of the ledger, what went wrong, and what is in flight'),
  )
    .option('--device <name>', 'in flight: of this device only')
    .option('--session <name>', 'in flight: of this session only')
    .action((options: ShowOptions) =>
      withInstance(options, async (instance) => {
        const { device, session } = options;
        const ledger = await instance.ledger.getLedger({});
        const pins = await instance.listPins(
          device === undefined ? '' : deviceName.format(device),
          session === undefined ? '' : sessionName.format(session),
        );
        if (options.json !== true) showLedger(ledger, pins, new Date());
        else printJson({ ledger: Ledger.toJSON(ledger), pins: pins.map((pin) => Pin.toJSON(pin)) });
      }),
    );

  forInstance(command.command('watch').description('Print a line of the ledger again and again, until ^C'))
    .option('--interval <seconds>', 'between two lines, at least 0.1 (default: 1)', parseSeconds)
    .action((options: WatchOptions) =>
      withInstance(options, async ({ ledger }) => {
        const interval = options.interval === undefined ? undefined : toDuration(options.interval);
        for await (const message of ledger.watchLedger({ interval })) {
          const read = message as workerV1.Ledger;
          process.stdout.write(options.json === true ? jsonLine(Ledger.toJSON(read)) : ledgerLine(read));
        }
      }),
    );
  return command;
}
