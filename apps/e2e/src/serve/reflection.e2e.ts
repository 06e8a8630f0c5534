import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { succeed } from '../support/command.js';
import { repository } from '../support/holdfast-program.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';

describe('gRPC reflection, by a client that has no contracts', () => {
  let holdfast: Holdfast;
  let services: Record<'gateway' | 'registry' | 'worker', { socket: string; methods: readonly string[] }>;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    services = {
      registry: {
        socket: holdfast.layout.registrySocket,
        methods: ['DeviceService/AttachDevice', 'LeaseService/ListLeases', 'RegistryService/GetRegistry'],
      },
      gateway: {
        socket: holdfast.layout.gatewaySocket,
        methods: ['ExportService/CreateExport', 'SessionService/GetSession', 'GatewayService/GetGateway'],
      },
      worker: {
        socket: holdfast.layout.workerSocket,
        methods: ['HoldingService/AdoptDevice', 'SessionService/WatchSessions', 'WorkerService/GetWorker'],
      },
    };
  });

  async function curl(socket: string, ...args: readonly string[]): Promise<string> {
    const buf = path.join(repository, 'node_modules/@bufbuild/buf/bin/buf');
    const fixed = [buf, 'curl', '--protocol', 'grpc', '--unix-socket', socket];
    return (await succeed(process.execPath, [...fixed, ...args])).stdout;
  }

  it.each(['grpc-v1', 'grpc-v1alpha'])(
    '%s describes what each process serves, and nothing else',
    async (version) => {
      for (const [name, { socket, methods }] of Object.entries(services)) {
        const listed = await curl(
          socket,
          '--reflect-protocol',
          version,
          '--list-methods',
          'http://localhost',
        );
        const lines = listed.trim().split('\n');
        expect(lines).toEqual(
          expect.arrayContaining(methods.map((method) => `holdfast.${name}.v1.${method}`)),
        );
        expect(lines.filter((line) => !line.startsWith(`holdfast.${name}.v1.`))).toEqual([]);
      }
    },
  );

  it('is enough to call: messages within messages, times and 64-bit numbers', async () => {
    const listed = await curl(
      services.registry.socket,
      'http://localhost/holdfast.registry.v1.DeviceService/ListDevices',
    );
    expect(JSON.parse(listed)).toMatchObject({
      devices: [
        {
          name: 'devices/disk.img',
          attachment: {
            state: 'STATE_CONNECTED',
            sizeBytes: String(MIB),
            identity: { inode: expect.stringMatching(/^\d+$/) as string },
          },
          createTime: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        },
      ],
    });
  });
});
