import {
  createClient,
  gatewayV1,
  listAll,
  registryV1,
  verifierV1,
  workerV1,
  type ServiceClient,
} from '@holdfast/contracts';
import type { Endpoints } from './endpoints.js';

const PAGE = 1000;

/** A running instance of holdfast, as its clients see it. */
export class Instance implements Disposable {
  readonly devices: ServiceClient<registryV1.DeviceServiceService>;
  readonly leases: ServiceClient<registryV1.LeaseServiceService>;
  readonly registry: ServiceClient<registryV1.RegistryServiceService>;
  readonly exports: ServiceClient<gatewayV1.ExportServiceService>;
  readonly sessions: ServiceClient<gatewayV1.SessionServiceService>;
  readonly gateway: ServiceClient<gatewayV1.GatewayServiceService>;
  readonly ledger: ServiceClient<workerV1.LedgerServiceService>;
  readonly worker: ServiceClient<workerV1.WorkerServiceService>;
  readonly allocators: ServiceClient<verifierV1.AllocatorServiceService>;
  readonly maps: ServiceClient<verifierV1.MapServiceService>;
  readonly programs: ServiceClient<verifierV1.ProgramServiceService>;
  readonly tables: ServiceClient<verifierV1.TableServiceService>;
  readonly verifier: ServiceClient<verifierV1.VerifierServiceService>;

  constructor(readonly endpoints: Endpoints) {
    this.devices = createClient(registryV1.DeviceServiceService, endpoints['device-registry']);
    this.leases = createClient(registryV1.LeaseServiceService, endpoints['device-registry']);
    this.registry = createClient(registryV1.RegistryServiceService, endpoints['device-registry']);
    this.exports = createClient(gatewayV1.ExportServiceService, endpoints['nbd-gateway']);
    this.sessions = createClient(gatewayV1.SessionServiceService, endpoints['nbd-gateway']);
    this.gateway = createClient(gatewayV1.GatewayServiceService, endpoints['nbd-gateway']);
    this.ledger = createClient(workerV1.LedgerServiceService, endpoints['io-worker']);
    this.worker = createClient(workerV1.WorkerServiceService, endpoints['io-worker']);
    const verifier = endpoints['allocator-verifier'];
    this.allocators = createClient(verifierV1.AllocatorServiceService, verifier);
    this.maps = createClient(verifierV1.MapServiceService, verifier);
    this.programs = createClient(verifierV1.ProgramServiceService, verifier);
    this.tables = createClient(verifierV1.TableServiceService, verifier);
    this.verifier = createClient(verifierV1.VerifierServiceService, verifier);
  }

  listDevices(): Promise<registryV1.Device[]> {
    return listAll(async (pageToken) => {
      const { devices, nextPageToken } = await this.devices.listDevices({ pageSize: PAGE, pageToken });
      return { items: devices, nextPageToken };
    });
  }

  listLeases(device = ''): Promise<registryV1.Lease[]> {
    return listAll(async (pageToken) => {
      const { leases, nextPageToken } = await this.leases.listLeases({ device, pageSize: PAGE, pageToken });
      return { items: leases, nextPageToken };
    });
  }

  listExports(): Promise<gatewayV1.Export[]> {
    return listAll(async (pageToken) => {
      const { exports, nextPageToken } = await this.exports.listExports({ pageSize: PAGE, pageToken });
      return { items: exports, nextPageToken };
    });
  }

  listSessions(): Promise<gatewayV1.Session[]> {
    return listAll(async (pageToken) => {
      const { sessions, nextPageToken } = await this.sessions.listSessions({ pageSize: PAGE, pageToken });
      return { items: sessions, nextPageToken };
    });
  }

  listAllocators(): Promise<verifierV1.Allocator[]> {
    return listAll(async (pageToken) => {
      const request = { pageSize: PAGE, pageToken };
      const { allocators, nextPageToken } = await this.allocators.listAllocators(request);
      return { items: allocators, nextPageToken };
    });
  }

  listMaps(): Promise<verifierV1.Map[]> {
    return listAll(async (pageToken) => {
      const { maps, nextPageToken } = await this.maps.listMaps({ pageSize: PAGE, pageToken });
      return { items: maps, nextPageToken };
    });
  }

  listPrograms(): Promise<verifierV1.Program[]> {
    return listAll(async (pageToken) => {
      const { programs, nextPageToken } = await this.programs.listPrograms({ pageSize: PAGE, pageToken });
      return { items: programs, nextPageToken };
    });
  }

  /** Empty names mean all. */
  listPins(device: string, session: string): Promise<workerV1.Pin[]> {
    return listAll(async (pageToken) => {
      const request = { device, session, pageSize: PAGE, pageToken };
      const { pins, nextPageToken } = await this.ledger.listPins(request);
      return { items: pins, nextPageToken };
    });
  }

  [Symbol.dispose](): void {
    for (const client of [
      this.devices,
      this.leases,
      this.registry,
      this.exports,
      this.sessions,
      this.gateway,
      this.ledger,
      this.worker,
      this.allocators,
      this.maps,
      this.programs,
      this.tables,
      this.verifier,
    ]) {
      client.close();
    }
  }
}
