/** The command line. */
import { parseArgs } from 'node:util';
import { targets } from './targets/all.js';

export const usage = `Usage: ./tools/fuzz/run [OPTION]...
Feeds the protocol machines inputs that nobody thought of, guided by which blocks of the code they reach.

  --target NAME     ${[...targets.keys()].join(', ')}; default all, one after the other
  --seconds N       for each target (default 20)
  --seed N          of the random numbers (default: the time)
  --corpus FOLDER   inputs of former runs are read from FOLDER/NAME.txt, and those of this one written there
  --findings FOLDER where an input that breaks a rule is saved (default fuzz-findings)
  --replay FILE     runs one saved input of --target, and nothing else
  --help
`;

/** A mistake on the command line: said without a stack, exit code 64. */
export class UsageError extends Error {}

/** @param {string[]} args */
export function readOptions(args) {
  const values = parse(args);
  if (values.help === true) return 'help';
  const { target, corpus, findings, replay } = values;
  if (target !== undefined && !targets.has(target)) throw new UsageError(`there is no target "${target}"`);
  if (replay !== undefined && target === undefined) throw new UsageError('--replay needs --target');
  return {
    targets: target === undefined ? [...targets.values()] : [targetNamed(target)],
    seconds: number('--seconds', values.seconds),
    seed: values.seed === undefined ? Date.now() >>> 0 : number('--seed', values.seed),
    corpus,
    findings,
    replay,
  };
}

/** @param {string} name */
function targetNamed(name) {
  const target = targets.get(name);
  if (target === undefined) throw new UsageError(`there is no target "${name}"`);
  return target;
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        target: { type: 'string' },
        seconds: { type: 'string', default: '20' },
        seed: { type: 'string' },
        corpus: { type: 'string' },
        findings: { type: 'string', default: 'fuzz-findings' },
        replay: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function number(name, text) {
  const value = Number(text);
  if (text === '' || !(value >= 0)) throw new UsageError(`${name} takes a number, not "${text}"`);
  return value;
}
