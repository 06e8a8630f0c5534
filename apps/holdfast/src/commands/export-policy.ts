import { gatewayV1 } from '@holdfast/contracts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { formatSize } from '../output/size.js';
import { rateText } from './export-rate.js';

/** Largest number that a field of the API takes. */
const UINT32_MAX = 0xffff_ffff;

/** What `export add` takes beside the device: who may use the export, and how. */
export interface PolicyOptions {
  readonly hidden?: boolean;
  readonly tlsRequired?: boolean;
  readonly allow?: readonly string[];
  readonly connectionsMax?: number;
  readonly clientConnectionsMax?: number;
  readonly blockSizeMin?: number;
  readonly blockSizePreferred?: number;
  readonly payloadMax?: number;
  readonly blockSizeRequired?: boolean;
  readonly writers?: keyof typeof writers;
}

/** Who may write at once, by the words of the option. */
const writers = {
  any: gatewayV1.Export_Writers.WRITERS_ANY,
  'one-client': gatewayV1.Export_Writers.WRITERS_ONE_CLIENT,
  'one-connection': gatewayV1.Export_Writers.WRITERS_ONE_CONNECTION,
} as const;

export function withPolicy(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--allow <client>',
        'who may use it: an address or network (10.0.0.0/8), uid:N at the Unix socket, or certificate:NAME; may be ' +
          'repeated; everybody if not given',
      ).argParser((value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value]),
    )
    .addOption(
      new Option(
        '--writers <who>',
        'who may write at once: any client, the connections of one client, or one connection and nobody beside it',
      )
        .choices(Object.keys(writers))
        .default('any'),
    )
    .option('--tls-required', 'serve it through TLS only')
    .option('--hidden', 'leave it out when clients list exports')
    .addOption(number('--connections-max <number>', 'sessions at once, in place of the setting'))
    .addOption(number('--client-connections-max <number>', 'sessions at once of one address or user'))
    .addOption(number('--block-size-min <bytes>', 'what offset and length of requests are multiples of'))
    .addOption(number('--block-size-preferred <bytes>', 'what requests are efficient in'))
    .addOption(number('--payload-max <bytes>', 'longest READ and WRITE'))
    .option('--block-size-required', 'refuse clients that do not ask for these sizes');
}

export function policyOf(options: PolicyOptions): Partial<gatewayV1.Export> {
  return {
    hidden: options.hidden ?? false,
    tlsRequired: options.tlsRequired ?? false,
    allowedClients: [...(options.allow ?? [])],
    connectionsMax: options.connectionsMax ?? 0,
    clientConnectionsMax: options.clientConnectionsMax ?? 0,
    writers: writers[options.writers ?? 'any'],
    blockSize: {
      minimum: options.blockSizeMin ?? 0,
      preferred: options.blockSizePreferred ?? 0,
      payloadMaximum: options.payloadMax ?? 0,
      required: options.blockSizeRequired ?? false,
    },
  };
}

/** What an export says of itself; nothing of what it leaves to the defaults. */
export function policyFacts(one: gatewayV1.Export): Record<string, string> {
  const { blockSize } = one;
  const facts: Record<string, string | false> = {
    listed: one.hidden && 'no',
    tls: one.tlsRequired && 'required',
    allowed: one.allowedClients.length > 0 && one.allowedClients.join(', '),
    connections: one.connectionsMax > 0 && `at most ${String(one.connectionsMax)}`,
    'connections of one client':
      one.clientConnectionsMax > 0 && `at most ${String(one.clientConnectionsMax)}`,
    writers: one.writers !== writers.any && writersText(one.writers),
    'rate limit': rateText(one.rateLimit),
    'block size': blockSize !== undefined && blockSizeText(blockSize),
  };
  return Object.fromEntries(
    Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== false),
  );
}

function writersText(code: gatewayV1.Export_Writers): string {
  return code === writers['one-client'] ? 'the connections of one client' : 'one connection, beside nobody';
}

function blockSizeText({ minimum, preferred, payloadMaximum, required }: gatewayV1.BlockSize): string {
  const [least, best, most] = [minimum, preferred, payloadMaximum].map((size) => formatSize(BigInt(size)));
  const sizes = `minimum ${String(least)}, preferred ${String(best)}, payload at most ${String(most)}`;
  return required ? `${sizes}, to be asked for` : sizes;
}

function number(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = Number(text);
    if (/^[1-9]\d*$/.test(text) && value <= UINT32_MAX) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${String(UINT32_MAX)}.`);
  });
}
