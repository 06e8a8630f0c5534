import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { create, createFileRegistry, fromBinary, type DescFile } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type FileDescriptorProto,
  type FileDescriptorSet,
} from '@bufbuild/protobuf/wkt';
import { Server, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { readFileDescriptors, workerV1 } from '@holdfast/contracts';
import { listenAt } from '@holdfast/contracts/testing/grpc-server';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { describe, expect, onTestFinished, test } from 'vitest';
import { reflectionClient, type Answer } from '../testing/reflection-client.js';
import { addReflection } from './reflection.js';

const services = ['holdfast.worker.v1.HoldingService', 'holdfast.worker.v1.WorkerService'];

/** A server with reflection on a Unix socket; one of its calls answers with what it was asked. */
async function serve(): Promise<string> {
  const socket = path.join(temporaryFolder(), 's');
  const server = new Server();
  addReflection(server, services);
  server.addService(workerV1.HoldingServiceService, {
    reconcile: (
      { request }: ServerUnaryCall<workerV1.ReconcileRequest, workerV1.ReconcileResponse>,
      answer: sendUnaryData<workerV1.ReconcileResponse>,
    ) => {
      answer(null, {
        workerInstance: 'w',
        holdings: [
          workerV1.Holding.fromPartial({ device: { $case: 'identity', value: { bootId: 'b', inode: 7n } } }),
        ],
        liveLeases: [request.voidLeasesUpTo],
      });
    },
  });
  await listenAt(`unix:${socket}`, server);
  onTestFinished(() => {
    server.forceShutdown();
  });
  return socket;
}

/** The contracts as the compiler wrote them. */
const contracts = createFileRegistry({
  ...fromBinary(FileDescriptorSetSchema, new Uint8Array()),
  file: readFileDescriptors().map((file) => fromBinary(FileDescriptorProtoSchema, file)),
});

/** The names of a file and of all that it imports, directly or not. */
function closureOf(file: DescFile): Set<string> {
  return new Set([file.proto.name, ...file.dependencies.flatMap((one) => [...closureOf(one)])]);
}

function filesIn(answer: Answer): FileDescriptorProto[] {
  const files = answer.fileDescriptorResponse?.fileDescriptorProto ?? [];
  return files.map((file) => fromBinary(FileDescriptorProtoSchema, file));
}

/** As a linker wants them: each behind what it imports. */
function importsFirst(files: readonly FileDescriptorProto[]): FileDescriptorSet {
  const ordered = new Set<FileDescriptorProto>();
  const add = (file: FileDescriptorProto) => {
    for (const name of file.dependency) {
      const imported = files.find((one) => one.name === name);
      if (imported === undefined) throw new Error(`${name} is missing, which ${file.name} imports`);
      add(imported);
    }
    ordered.add(file);
  };
  files.forEach(add);
  return create(FileDescriptorSetSchema, { file: [...ordered] });
}

describe.each(['v1', 'v1alpha'] as const)('reflection %s', (version) => {
  test('lists the services of this process, and no other of the contracts', async () => {
    const ask = reflectionClient(`unix:${await serve()}`, version);
    const { listServicesResponse } = await ask({ listServices: '' });
    expect(listServicesResponse?.service.map(({ name }) => name).sort()).toEqual(services);
  });

  test('answers every symbol of the contracts with its file, as compiled, and all that it imports', async () => {
    const ask = reflectionClient(`unix:${await serve()}`, version);
    const symbols = [...contracts];
    expect(symbols.length).toBeGreaterThan(60);
    for (const { typeName, file } of symbols) {
      const files = filesIn(await ask({ fileContainingSymbol: typeName }));
      expect(new Set(files.map(({ name }) => name)), typeName).toEqual(closureOf(file));
      // Without the compiler's private notes.
      expect(files[0], typeName).toEqual({ ...file.proto, $unknown: undefined });
    }
  });

  test('answers every file by its name with what it imports: the answer alone can be linked', async () => {
    const ask = reflectionClient(`unix:${await serve()}`, version);
    for (const file of contracts.files) {
      const answer = await ask({ fileByFilename: file.proto.name });
      const linked = createFileRegistry(importsFirst(filesIn(answer)));
      expect(new Set([...linked.files].map(({ proto }) => proto.name))).toEqual(closureOf(file));
    }
  });

  test('says so when there is no such symbol or file, and goes on', async () => {
    const ask = reflectionClient(`unix:${await serve()}`, version);
    for (const question of [{ fileContainingSymbol: 'no.such.Message' }, { fileByFilename: 'no.proto' }]) {
      expect((await ask(question)).errorResponse?.errorCode).toBe(status.NOT_FOUND);
    }
    expect(filesIn(await ask({ fileByFilename: 'google/protobuf/empty.proto' }))).toHaveLength(1);
  });

  describe('by buf curl, which is given no contracts', () => {
    const buf = path.join(
      path.dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')),
      'bin/buf',
    );

    async function curl(socket: string, ...args: string[]): Promise<string> {
      const fixed = ['curl', '--protocol', 'grpc', '--reflect-protocol', `grpc-${version}`];
      const run = promisify(execFile)(process.execPath, [buf, ...fixed, '--unix-socket', socket, ...args]);
      return (await run).stdout;
    }

    test('lists every method', async () => {
      const listed = await curl(await serve(), '--list-methods', 'http://localhost');
      const names = ['GetWorker', 'AdoptDevice', 'ReleaseDevice', 'ReturnDevice', 'Reconcile'];
      for (const name of names) expect(listed).toMatch(new RegExp(`/${name}$`, 'm'));
    });

    test('calls a method whose messages come from files of another package', async () => {
      const url = 'http://localhost/holdfast.worker.v1.HoldingService/Reconcile';
      const answer = await curl(await serve(), '-d', '{"voidLeasesUpTo":"18446744073709551615"}', url);
      expect(JSON.parse(answer)).toEqual({
        workerInstance: 'w',
        holdings: [{ identity: { bootId: 'b', inode: '7' } }],
        liveLeases: ['18446744073709551615'],
      });
    });
  });
});
