import path from 'node:path';
import { createRequire } from 'node:module';
import {
  loadPackageDefinition,
  credentials,
  Server,
  ServerCredentials,
  type ClientDuplexStream,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { addReflection } from './reflection.js';

type Reflection = ClientDuplexStream<object, { listServicesResponse?: { service: { name: string }[] } }>;

/** Asks like grpcurl does. */
function reflect(address: string): Reflection {
  const package_ = path.dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const proto = path.join(package_, 'build/proto/grpc/reflection/v1/reflection.proto');
  const { grpc } = loadPackageDefinition(loadSync(proto)) as unknown as {
    grpc: {
      reflection: {
        v1: {
          ServerReflection: new (
            address: string,
            c: object,
          ) => {
            ServerReflectionInfo(): Reflection;
            close(): void;
          };
        };
      };
    };
  };
  const client = new grpc.reflection.v1.ServerReflection(address, credentials.createInsecure());
  onTestFinished(() => {
    client.close();
  });
  return client.ServerReflectionInfo();
}

async function ask(address: string, question: object): Promise<unknown> {
  const stream = reflect(address);
  return new Promise((resolve, reject) => {
    stream.once('data', resolve);
    stream.once('error', reject);
    stream.write(question);
    stream.end();
  });
}

async function serve(services: readonly string[]): Promise<string> {
  const address = `unix:${path.join(temporaryFolder(), 's')}`;
  const server = new Server();
  addReflection(server, services);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  onTestFinished(() => {
    server.forceShutdown();
  });
  return address;
}

test('reflection lists the services of this process, and no other of the contracts', async () => {
  const services = ['holdfast.worker.v1.HoldingService', 'holdfast.worker.v1.WorkerService'];
  const answer = await ask(await serve(services), { listServices: '' });
  const { service } = (answer as { listServicesResponse: { service: { name: string }[] } })
    .listServicesResponse;
  expect(service.map(({ name }) => name).sort()).toEqual(services);
});

test('reflection describes a service that it lists', async () => {
  const address = await serve(['holdfast.worker.v1.WorkerService']);
  const answer = await ask(address, { fileContainingSymbol: 'holdfast.worker.v1.WorkerService' });
  const { fileDescriptorProto } = (answer as { fileDescriptorResponse: { fileDescriptorProto: Buffer[] } })
    .fileDescriptorResponse;
  expect(Buffer.concat(fileDescriptorProto).includes('GetWorkerRequest')).toBe(true);
});
