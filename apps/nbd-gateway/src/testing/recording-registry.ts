import { Server, type ServerUnaryCall } from '@grpc/grpc-js';
import { registryV1, type StateLayout } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { answering, bind } from './grpc-answers.js';

export const DEVICE_BYTES = 1024n * 1024n;

/** A registry as the gateway sees it: a real gRPC server that knows devices, grants leases and records both. */
export class RecordingRegistry {
  /** `acquire sessions/…`, `release leases/7` */
  readonly calls: string[] = [];
  readonly leases = new Map<string, registryV1.Lease>();
  readonly devices = new Map<string, Partial<registryV1.Device>>();
  workerInstance = 'worker-1';
  sizeBytes = DEVICE_BYTES;
  /** Runs before a lease is granted; what it throws is the answer. */
  beforeAcquire: () => unknown = () => undefined;
  beforeGet: () => unknown = () => undefined;
  beforeRelease: () => unknown = () => undefined;
  readonly #server = new Server();
  #number = 0;

  static async start(layout: StateLayout): Promise<RecordingRegistry> {
    const registry = new RecordingRegistry();
    const unused = (_call: ServerUnaryCall<unknown, never>, answer: (error: Error) => void) => {
      answer(new Error('not simulated'));
    };
    registry.#server.addService(registryV1.DeviceServiceService, {
      createDevice: unused,
      getDevice: answering(async ({ name }: registryV1.GetDeviceRequest) => {
        await registry.beforeGet();
        return registry.#device(name);
      }),
      listDevices: answering((): registryV1.ListDevicesResponse => {
        const devices = [...registry.devices.keys()].map((name) => registry.#device(name));
        return { devices, nextPageToken: '' };
      }),
      deleteDevice: unused,
      attachDevice: unused,
      detachDevice: unused,
      explainRelease: unused,
      watchDevices: unused,
    });
    registry.#server.addService(registryV1.LeaseServiceService, {
      acquireLease: answering((request: registryV1.AcquireLeaseRequest) => registry.#acquire(request)),
      releaseLease: answering(({ name }: registryV1.ReleaseLeaseRequest) => {
        registry.calls.push(`release ${name}`);
        registry.beforeRelease();
        registry.leases.delete(name);
        return {};
      }),
      listLeases: unused,
      releaseUnusedLeases: answering(() => ({ released: 0 })),
    });
    await bind(registry.#server, `unix:${layout.registrySocket}`);
    return registry;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #device(name: string): registryV1.Device {
    const device = this.devices.get(name);
    if (device === undefined) throw new HoldfastError('DEVICE_NOT_FOUND', `There is no ${name}.`);
    const state = registryV1.Attachment_State.STATE_CONNECTED;
    const attachment = registryV1.Attachment.fromPartial({ state, currentSizeBytes: this.sizeBytes });
    return { ...registryV1.Device.fromPartial({ name }), attachment, ...device };
  }

  async #acquire({
    device,
    access,
    session,
    clientGroup,
  }: registryV1.AcquireLeaseRequest): Promise<registryV1.Lease> {
    this.calls.push(`acquire ${session}`);
    await this.beforeAcquire();
    const lease: registryV1.Lease = {
      name: `leases/${String(++this.#number)}`,
      device,
      attachment: `${device}/attachments/1`,
      epoch: 1n,
      access,
      session,
      workerInstance: this.workerInstance,
      sizeBytes: this.sizeBytes,
      createTime: new Date(),
      clientGroup,
      fenced: false,
    };
    this.leases.set(lease.name, lease);
    return lease;
  }
}
