import { homedir } from 'node:os';
import path from 'node:path';
import { stateLayout, type StateLayout } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';

/** The services of an instance, in the order in which a user thinks of them. */
export const serviceNames = ['nbd-gateway', 'device-registry', 'io-worker', 'allocator-verifier'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** gRPC target of each service. */
export type Endpoints = Readonly<Record<ServiceName, string>>;

/** Where an instance is to be found, as the user says it. */
export interface InstanceOptions {
  readonly state?: string;
  /** `SERVICE=ADDRESS`, each for one service. */
  readonly endpoint?: readonly string[];
}

/** The default state folder, as a user reads it. */
export const STATE_DEFAULT = '$XDG_STATE_HOME/holdfast, else ~/.local/state/holdfast';

/** `$XDG_STATE_HOME/holdfast`, by default `~/.local/state/holdfast` (XDG Base Directory Specification). */
export function defaultStateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_STATE_HOME'];
  // The specification: a relative path is invalid and ignored.
  const home = base !== undefined && path.isAbsolute(base) ? base : path.join(homedir(), '.local/state');
  return path.join(home, 'holdfast');
}

export function resolveLayout(state: string | undefined): StateLayout {
  return stateLayout(state === undefined ? defaultStateFolder() : path.resolve(state));
}

/** @throws HoldfastError INVALID_SETTING */
export function resolveEndpoints(options: InstanceOptions): Endpoints {
  const layout = resolveLayout(options.state);
  const endpoints: Record<ServiceName, string> = {
    'nbd-gateway': `unix:${layout.gatewaySocket}`,
    'device-registry': `unix:${layout.registrySocket}`,
    'io-worker': `unix:${layout.workerSocket}`,
    'allocator-verifier': `unix:${layout.verifierSocket}`,
  };
  for (const text of options.endpoint ?? []) {
    const [service, address] = splitOnce(text, '=');
    if (!isServiceName(service) || address === '') {
      throw new HoldfastError(
        'INVALID_SETTING',
        `--endpoint must be SERVICE=ADDRESS with one of ${serviceNames.join(', ')}, got "${text}"`,
        { setting: '--endpoint' },
      );
    }
    endpoints[service] = address;
  }
  return endpoints;
}

function isServiceName(text: string): text is ServiceName {
  return (serviceNames as readonly string[]).includes(text);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
