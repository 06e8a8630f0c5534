import { checkHealth } from '@holdfast/contracts';
import { HoldfastError, unreachable } from '@holdfast/foundation';
import { Command } from 'commander';
import { serviceNames, type ServiceName } from '../client/endpoints.js';
import type { Instance } from '../client/instance.js';
import { ExitCode } from '../exit-code.js';
import { printJson, printTable } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const DEADLINE_MS = 3_000;

interface ServiceStatus {
  readonly service: ServiceName;
  readonly pid: number | null;
  readonly state: 'serving' | 'not-serving' | 'down';
  /** Where it is reached: gRPC first, then NBD. */
  readonly endpoints: readonly string[];
}

export function statusCommand(): Command {
  return forInstance(new Command('status').description('Show the services of an instance'))
    .addHelpText('after', '\nExit code: 0 all services serve, 2 one does not or none runs.')
    .action((options: CommonOptions) =>
      withInstance(options, async (instance) => {
        const all = await Promise.all(serviceNames.map((service) => statusOf(instance, service)));
        if (options.json === true) printJson(all);
        else printTable(['SERVICE', 'PID', 'STATE', 'ENDPOINTS'], all.map(row));
        if (all.some(({ state }) => state !== 'serving')) process.exitCode = ExitCode.no;
      }),
    );
}

async function statusOf(instance: Instance, service: ServiceName): Promise<ServiceStatus> {
  const endpoint = instance.endpoints[service];
  try {
    const health = await checkHealth(endpoint, { deadlineMs: DEADLINE_MS });
    const { pid, endpoints } = await describe(instance, service);
    const state = health === 'SERVING' ? 'serving' : 'not-serving';
    return { service, pid, state, endpoints: [endpoint, ...endpoints] };
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'SERVICE_UNAVAILABLE') throw error;
    return { service, pid: null, state: 'down', endpoints: [endpoint] };
  }
}

async function describe(
  instance: Instance,
  service: ServiceName,
): Promise<{ pid: number; endpoints: string[] }> {
  const options = { deadlineMs: DEADLINE_MS };
  switch (service) {
    case 'nbd-gateway': {
      const { pid, endpoints } = await instance.gateway.getGateway({}, options);
      return { pid, endpoints };
    }
    case 'device-registry':
      return { pid: (await instance.registry.getRegistry({}, options)).pid, endpoints: [] };
    case 'allocator-verifier':
      return { pid: (await instance.verifier.getVerifier({}, options)).pid, endpoints: [] };
    case 'io-worker':
      return { pid: (await instance.worker.getWorker({}, options)).pid, endpoints: [] };
    default:
      return unreachable(service);
  }
}

function row({ service, pid, state, endpoints }: ServiceStatus): string[] {
  return [service, pid === null ? '-' : String(pid), state, endpoints.join(' ')];
}
