import { Command, InvalidArgumentError } from 'commander';

interface CheckOptions {
  readonly rule?: readonly string[];
  readonly write: boolean;
  readonly timeout?: number;
  readonly json: boolean;
}

/** Half a minute and more for each answer would make a check of a dead server take all day. */
const TIMEOUT_SECONDS_MAX = 60;

export function checkCommand(): Command {
  return new Command('check')
    .description(
      'Check which rules of the NBD protocol a server keeps, by raw bytes; it only reads, unless told',
    )
    .argument('<uri>', 'the export to check with; any server will do')
    .option('--rule <numbers>', 'only these, such as N7,T4', rules)
    .option(
      '--write',
      'try also what writes: 64 KiB in the middle of the export are overwritten, and written back at the end',
      false,
    )
    .option('--timeout <seconds>', 'longest wait for one answer (default: 5)', seconds)
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      [
        '\nA verdict is kept, broken, "not offered" (the server lacks what the rule is about) or "not tried". What is',
        'broken is told with what was sent, expected and got, and whether the specification says MUST or SHOULD.',
        'With --write use an export that nobody else uses, and whose loss you can bear: a server that is broken',
        'enough may write elsewhere.',
        '\nExit code: 0 nothing is broken, 2 something is, 1 the check could not be done.',
      ].join('\n'),
    )
    .action(async (uri: string, { rule, write, timeout, json }: CheckOptions) => {
      const { runCheck } = await import('../../nbd/check/run-check.js');
      process.exitCode = await runCheck(uri, {
        json,
        write,
        ...(rule && { rules: rule }),
        ...(timeout !== undefined && { answerMs: timeout * 1000 }),
      });
    });
}

function rules(text: string): string[] {
  const numbers = text.toUpperCase().split(',');
  if (numbers.every((number) => /^[NT]\d+$/.test(number))) return numbers;
  throw new InvalidArgumentError('They are written N7,T4: N1 to N12 and T1 to T19.');
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= TIMEOUT_SECONDS_MAX) return value;
  throw new InvalidArgumentError(`It is a number of seconds up to ${TIMEOUT_SECONDS_MAX}.`);
}
