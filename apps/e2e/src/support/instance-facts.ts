import {
  createClient,
  gatewayV1,
  registryV1,
  workerV1,
  type ServiceClient,
  type ServiceDefinition,
} from '@holdfast/contracts';
import type { Holdfast } from './holdfast.js';

/** Calls one method of a service of the instance, over a connection of its own. */
export async function ask<S extends ServiceDefinition, T>(
  definition: S,
  socket: string,
  call: (client: ServiceClient<S>) => Promise<T>,
): Promise<T> {
  const client = createClient(definition, `unix:${socket}`);
  try {
    return await call(client);
  } finally {
    client.close();
  }
}

const FIRST_PAGE = { pageSize: 1000, pageToken: '' };

export function listSessions({ layout }: Holdfast): Promise<gatewayV1.Session[]> {
  return ask(gatewayV1.SessionServiceService, layout.gatewaySocket, async (client) => {
    return (await client.listSessions(FIRST_PAGE)).sessions;
  });
}

export function listLeases({ layout }: Holdfast): Promise<registryV1.Lease[]> {
  return ask(registryV1.LeaseServiceService, layout.registrySocket, async (client) => {
    return (await client.listLeases({ device: '', ...FIRST_PAGE })).leases;
  });
}

export function getDevice({ layout }: Holdfast, id: string): Promise<registryV1.Device> {
  return ask(registryV1.DeviceServiceService, layout.registrySocket, (client) =>
    client.getDevice({ name: `devices/${id}` }),
  );
}

export function getGateway({ layout }: Holdfast): Promise<gatewayV1.Gateway> {
  return ask(gatewayV1.GatewayServiceService, layout.gatewaySocket, (client) => client.getGateway({}));
}

export function getWorker({ layout }: Holdfast): Promise<workerV1.Worker> {
  return ask(workerV1.WorkerServiceService, layout.workerSocket, (client) => client.getWorker({}));
}
