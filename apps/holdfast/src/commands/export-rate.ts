import { exportName, gatewayV1, toDuration } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { Command, InvalidArgumentError, Option } from 'commander';
import { formatSize } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { parseBytes } from './parse-bytes.js';
import { parseSeconds } from './parse-seconds.js';

const { Export } = gatewayV1;

/** Largest number that a field of the API takes. */
const UINT32_MAX = 0xffff_ffff;

/** What an export may take, as `export add` and `export limit` have it. */
export interface RateOptions {
  /** 0: no limit. */
  readonly iops?: number;
  /** 0: no limit. */
  readonly bytesPerSecond?: bigint;
  /** In milliseconds. */
  readonly burst?: number;
}

export function withRate(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--iops <number>',
        'requests a second of all its sessions together; none: no limit',
      ).argParser((text: string) => (text === 'none' ? 0 : parseRequests(text))),
    )
    .addOption(
      new Option(
        '--bytes-per-second <size>',
        'bytes a second of all its sessions together, such as 50M; none: no limit',
      ).argParser((text: string) => (text === 'none' ? 0n : parseBytes(text))),
    )
    .addOption(
      new Option(
        '--burst <seconds>',
        'for how long unused rate is saved, to be taken at once: 1 second unless told',
      ).argParser(parseSeconds),
    );
}

export function rateOf({ iops, bytesPerSecond, burst }: RateOptions): gatewayV1.RateLimit {
  return {
    iops: iops ?? 0,
    bytesPerSecond: bytesPerSecond ?? 0n,
    burst: burst === undefined ? undefined : toDuration(burst),
  };
}

/** What is said of the rate of an export; false when it has none. */
export function rateText(rate: gatewayV1.RateLimit | undefined): string | false {
  if (rate === undefined) return false;
  const { iops, bytesPerSecond, burst } = rate;
  const parts = [
    ...(iops > 0 ? [`${String(iops)} requests/s`] : []),
    ...(bytesPerSecond > 0n ? [`${formatSize(bytesPerSecond)}/s`] : []),
  ];
  if (parts.length === 0) return false;
  const seconds = Number(burst?.seconds ?? 0n) + (burst?.nanos ?? 0) / 1e9;
  return `${parts.join(', ')}, burst ${String(seconds)} s`;
}

/** @param show prints what became of the export */
export function limitCommand(show: (one: gatewayV1.Export, options: CommonOptions) => void): Command {
  return forInstance(
    withRate(
      new Command('limit')
        .description('Change what an export may take, also while clients are connected')
        .argument('<name>', 'the export'),
    ),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast export limit vm1 --iops 500 --bytes-per-second 50M' +
        '\n  holdfast export limit vm1 --iops none',
    )
    .action((name: string, options: CommonOptions & RateOptions) =>
      withInstance(options, async ({ exports }) => {
        const updateMask = maskOf(options);
        const rateLimit = rateOf(options);
        const wanted = Export.fromPartial({ name: exportName.format(name), rateLimit });
        show(await exports.updateExport({ export: wanted, updateMask }), options);
      }),
    );
}

function maskOf(options: RateOptions): string[] {
  const mask = [
    ...(options.iops === undefined ? [] : ['rate_limit.iops']),
    ...(options.bytesPerSecond === undefined ? [] : ['rate_limit.bytes_per_second']),
    ...(options.burst === undefined ? [] : ['rate_limit.burst']),
  ];
  if (mask.length > 0) return mask;
  throw new HoldfastError('INVALID_ARGUMENT', 'say what is to change: --iops, --bytes-per-second or --burst');
}

function parseRequests(text: string): number {
  const value = Number(text);
  if (/^[1-9]\d*$/.test(text) && value <= UINT32_MAX) return value;
  throw new InvalidArgumentError(`It must be none, or a whole number from 1 to ${String(UINT32_MAX)}.`);
}
