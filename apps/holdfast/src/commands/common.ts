import { HoldfastError } from '@holdfast/foundation';
import type { Command } from 'commander';
import { resolveEndpoints, STATE_DEFAULT, type InstanceOptions } from '../client/endpoints.js';
import { Instance } from '../client/instance.js';

export interface CommonOptions extends InstanceOptions {
  readonly json?: boolean;
}

/** The options of every command that talks to a running instance. */
export function forInstance(command: Command): Command {
  return command
    .option('--state <folder>', `state folder of the instance (default: ${STATE_DEFAULT})`)
    .option(
      '--endpoint <service=address>',
      'gRPC address of one service, instead of its socket in the state folder; may be repeated',
      (value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value],
    )
    .option('--json', 'print JSON');
}

/** Runs `action` with a connected instance, and disconnects. */
export async function withInstance<T>(
  options: CommonOptions,
  action: (instance: Instance) => Promise<T>,
): Promise<T> {
  using instance = new Instance(resolveEndpoints(options));
  return await action(instance);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof HoldfastError && error.status === 'NOT_FOUND';
}
