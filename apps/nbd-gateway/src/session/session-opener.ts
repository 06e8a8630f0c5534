import { randomBytes } from 'node:crypto';
import {
  createClient,
  deviceName,
  exportName,
  leaseName,
  registryV1,
  workerV1,
  type ServiceClient,
} from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { DEFAULT_BLOCK_SIZE, type ExportDescription } from '@holdfast/nbd-protocol';
import type { Logger } from '@holdfast/service';
import type { LimitsHit } from '../gateway/limits-hit.js';
import { describeExport, type ExportService } from '../export/export.service.js';
import type { SessionCensus } from './session-census.js';

const TOKEN_BYTES = 16;

/** A session that the worker is ready for: its socket goes with `token`. */
export interface OpenedSession {
  readonly token: Uint8Array;
  readonly description: ExportDescription;
}

export interface SessionRequest {
  /** `sessions/{session}` */
  readonly name: string;
  readonly exportName: string;
  readonly clientAddress: string;
  readonly startTime: Date;
}

/** Opens sessions: a lease from the registry, then a place at the worker. */
export class SessionOpener {
  readonly #leases: ServiceClient<registryV1.LeaseServiceService>;
  readonly #sessions: ServiceClient<workerV1.SessionServiceService>;

  constructor(
    private readonly exports: ExportService,
    private readonly census: SessionCensus,
    private readonly exportConnectionsMax: number,
    private readonly limitsHit: LimitsHit,
    addresses: { registry: string; worker: string },
    private readonly logger: Logger,
  ) {
    this.#leases = createClient(registryV1.LeaseServiceService, addresses.registry);
    this.#sessions = createClient(workerV1.SessionServiceService, addresses.worker);
  }

  /**
   * @throws HoldfastError EXPORT_NOT_FOUND, DEVICE_NOT_ATTACHED, LIMIT_REACHED, and whatever registry or worker says
   */
  async open(request: SessionRequest): Promise<OpenedSession> {
    const record = await this.exports.resolve(request.exportName);
    const published = exportName.format(record.id);
    const readOnly = await this.exports.isReadOnly(record);
    // From here to the entry in the census nothing is awaited: of those that ask at once no more get in than may.
    if (this.census.countOf(published) >= this.exportConnectionsMax) {
      this.limitsHit.hit('export-connections', request.clientAddress);
      throw new HoldfastError(
        'LIMIT_REACHED',
        `export "${record.id}" has ${String(this.exportConnectionsMax)} sessions already`,
        { setting: 'HOLDFAST_EXPORT_CONNECTIONS_MAX' },
      );
    }
    this.census.opening(request.name, published);
    try {
      const open = () => this.#leaseAndPrepare(request, published, record.deviceId, readOnly);
      const { sizeBytes, token } = await open().catch((error: unknown) => {
        // Registry or worker was restarted between the two calls: a fresh lease is valid again.
        if (error instanceof HoldfastError && error.code === 'LEASE_REFUSED') return open();
        throw error;
      });
      this.census.opened(request.name);
      return { token, description: describeExport(record, sizeBytes, readOnly) };
    } catch (error) {
      this.census.notOpened(request.name);
      throw error;
    }
  }

  /** Takes back an opened session whose client has gone before its socket was passed. */
  async abandon(name: string): Promise<void> {
    await this.#sessions.abandonSession({ name }).catch((error: unknown) => {
      this.logger.warn({ session: name }, `not abandoned, the worker will: ${messageOf(error)}`);
    });
  }

  close(): void {
    this.#leases.close();
    this.#sessions.close();
  }

  async #leaseAndPrepare(
    request: SessionRequest,
    published: string,
    deviceId: string,
    readOnly: boolean,
  ): Promise<{ sizeBytes: bigint; token: Uint8Array }> {
    const { Access } = registryV1;
    const lease = await this.#leases.acquireLease({
      device: deviceName.format(deviceId),
      access: readOnly ? Access.ACCESS_READ_ONLY : Access.ACCESS_READ_WRITE,
      session: request.name,
    });
    const token = randomBytes(TOKEN_BYTES);
    try {
      await this.#prepare(request, published, readOnly, lease, token);
    } catch (error) {
      // The answer may be lost though the worker is ready: it must not be when the lease is given back.
      await this.abandon(request.name);
      await this.#giveBack(lease.name);
      throw error;
    }
    return { sizeBytes: lease.sizeBytes, token };
  }

  async #prepare(
    request: SessionRequest,
    published: string,
    readOnly: boolean,
    lease: registryV1.Lease,
    token: Uint8Array,
  ): Promise<void> {
    await this.#sessions.prepareSession({
      session: {
        name: request.name,
        export: published,
        attachment: lease.attachment,
        lease: leaseName.parse(lease.name),
        epoch: lease.epoch,
        readOnly,
        clientAddress: request.clientAddress,
        blockSizeMinimum: DEFAULT_BLOCK_SIZE.minimum,
        payloadMaximum: DEFAULT_BLOCK_SIZE.payloadMaximum,
        startTime: request.startTime,
        engine: '',
        counters: undefined,
        replyMode: workerV1.ReplyMode.REPLY_MODE_SIMPLE,
        metaContexts: [],
      },
      token,
      workerInstance: lease.workerInstance,
    });
  }

  async #giveBack(lease: string): Promise<void> {
    await this.#leases.releaseLease({ name: lease }).catch((error: unknown) => {
      this.logger.warn({ lease }, `not given back, the registry will find it: ${messageOf(error)}`);
    });
  }
}
