import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

/** Has a server listen at `unix:…`; resolves when it does. */
export async function listenAt(address: string, server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** A real gRPC server at `address`, gone after the test. */
export async function startServer(
  address: string,
  definition: ServiceDefinition,
  implementation: UntypedServiceImplementation,
): Promise<Server> {
  const server = new Server();
  server.addService(definition, implementation);
  await listenAt(address, server);
  onTestFinished(() => {
    server.forceShutdown();
  });
  return server;
}
