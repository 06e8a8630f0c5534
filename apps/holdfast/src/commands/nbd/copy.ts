import { Command, InvalidArgumentError } from 'commander';
import {
  CONNECTIONS_DEFAULT,
  CONNECTIONS_MAX,
  REQUESTS_DEFAULT,
  REQUESTS_MAX,
} from '../../nbd/copy/limits.js';

interface Options {
  readonly connections?: number;
  readonly requests: number;
  readonly resumeFrom?: bigint;
  readonly destinationIsZero?: boolean;
  readonly sparse?: boolean;
  readonly json?: boolean;
}

export function copyCommand(): Command {
  return new Command('copy')
    .description('Copy a disk between files, block devices and exports, without its holes')
    .argument('<from>', 'file, block device or URI')
    .argument('<to>', 'the same, or null: to read only; a file is made, or replaced')
    .option(
      '--connections <count>',
      `connections to each server (default: ${String(CONNECTIONS_DEFAULT)} where servers allow several)`,
      upTo(CONNECTIONS_MAX),
    )
    .option(
      '--requests <count>',
      'requests in flight on each connection',
      upTo(REQUESTS_MAX),
      REQUESTS_DEFAULT,
    )
    .option('--sparse', 'look for zeroes in the data too, and write none of them as data')
    .option('--destination-is-zero', 'the destination reads as zeroes already: leave them out')
    .option('--resume-from <offset>', 'go on with a copy, at the byte that it told', offset)
    .option('--json', 'print progress and result as JSON, an object a line')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast nbd copy nbd://127.0.0.1/vm1 vm1.raw\n  holdfast nbd copy vm1.raw nbd://127.0.0.1/vm2\n\nIt ends with 0 once everything is on stable storage, and with 130 after ^C or SIGTERM.',
    )
    .action(async (from: string, to: string, options: Options) => {
      // Loaded by this command alone: no other has to wait for it.
      const { copy } = await import('../../nbd/copy/copy.js');
      await copy(from, to, {
        connections: options.connections,
        requests: options.requests,
        resumeFrom: options.resumeFrom ?? 0n,
        destinationIsZero: options.destinationIsZero === true,
        sparse: options.sparse === true,
        json: options.json === true,
      });
    });
}

function upTo(most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`It is a number from 1 to ${String(most)}.`);
  };
}

function offset(text: string): bigint {
  if (/^\d{1,19}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('It is a number of bytes.');
}
