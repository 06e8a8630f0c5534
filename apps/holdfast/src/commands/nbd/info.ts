import { Command, InvalidArgumentError, Option } from 'commander';
import { ExitCode } from '../../exit-code.js';
import { findQuestion, questionNames, type Question } from '../../nbd/info/questions.js';

interface InfoOptions {
  readonly json?: boolean;
  readonly size?: boolean;
  readonly can?: Question;
  readonly is?: Question;
  readonly has?: Question;
}

export function infoCommand(): Command {
  return new Command('info')
    .description('Show what a server says about an export: its size, its block sizes, and what it can do')
    .argument('<uri>', 'the export')
    .option('--json', 'print JSON')
    .addOption(new Option('--size', 'print the size only, in bytes').conflicts(['can', 'is', 'has']))
    .addOption(ask('--can <what>', 'ask one question: exit code 0 is yes, 2 is no').conflicts(['is', 'has']))
    .addOption(ask('--is <what>', 'the same, for properties').conflicts('has'))
    .addOption(ask('--has <what>', 'the same, for what was negotiated'))
    .addHelpText('after', `\nQuestions: ${questionNames.join(', ')}.`)
    .action(info);
}

function ask(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const question = findQuestion(text);
    if (question === undefined) throw new InvalidArgumentError(`It is one of ${questionNames.join(', ')}.`);
    return question;
  });
}

async function info(uri: string, options: InfoOptions): Promise<void> {
  const question = options.can ?? options.is ?? options.has;
  // Loaded by this command alone: no other has to wait for it.
  const { printInfo, printSize, answerQuestion } = await import('../../nbd/info/show-export.js');
  if (question !== undefined) {
    process.exitCode = (await answerQuestion(uri, question)) ? ExitCode.done : ExitCode.no;
  } else if (options.size === true) {
    await printSize(uri);
  } else {
    await printInfo(uri, options.json === true);
  }
}
