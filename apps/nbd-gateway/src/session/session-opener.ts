import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
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
import type { ExportDescription, Negotiated, ReplyMode } from '@holdfast/nbd-protocol';
import { reached, type Logger } from '@holdfast/service';
import type { ExportRecord } from '@holdfast/store';
import type { ConnectedClient } from '../client/connected-client.js';
import type { FoundChunks } from '../export/chunk-exports.js';
import { effectiveBlockSize, type DeviceOffer } from '../export/device-offer.js';
import { describeExport } from '../export/export-description.js';
import type { ExportService } from '../export/export.service.js';
import { rateMessage, type RateAnnouncer } from '../export/rate-announcer.js';
import { claimOf } from './lease-claim.js';
import type { SessionCensus } from './session-census.js';
import type { SessionLimits } from './session-limits.js';

const TOKEN_BYTES = 16;

/**
 * How long a client waits for those in its way to end, before it is refused: the worker takes a few milliseconds to tell
 * of a session that has ended, and the registry to release its lease.
 */
const CONFLICT_WAIT_MS = 500;
const CONFLICT_PAUSE_MS = 25;

/** A session that the worker is ready for: its socket goes with `token`. */
export interface OpenedSession {
  readonly token: Uint8Array;
  readonly description: ExportDescription;
}

export interface SessionRequest {
  readonly client: ConnectedClient;
  /** An export that the client may use. */
  readonly record: ExportRecord;
  readonly negotiated: Negotiated;
}

/** Opens sessions: a lease from the registry, then a place at the worker. */
export class SessionOpener {
  readonly #leases: ServiceClient<registryV1.LeaseServiceService>;
  readonly #sessions: ServiceClient<workerV1.SessionServiceService>;

  constructor(
    private readonly exports: ExportService,
    private readonly census: SessionCensus,
    private readonly limits: SessionLimits,
    private readonly rates: RateAnnouncer,
    addresses: { registry: string; worker: string },
    private readonly logger: Logger,
  ) {
    this.#leases = createClient(registryV1.LeaseServiceService, addresses.registry);
    this.#sessions = createClient(workerV1.SessionServiceService, addresses.worker);
  }

  /** A gateway that was killed may have been granted leases that it never used: given back by the next, at its start. */
  async releaseUnused(): Promise<void> {
    try {
      const { released } = await this.#leases.releaseUnusedLeases({});
      if (released > 0) this.logger.info({ leases: released }, 'released leases of an earlier gateway');
    } catch (error) {
      // Started together, the registry is not there yet: it settles all leases when it comes.
      this.logger.debug(`leases of an earlier gateway are left to the registry: ${messageOf(error)}`);
    }
  }

  /** @throws HoldfastError DEVICE_NOT_ATTACHED, LIMIT_REACHED, and whatever registry or worker says */
  async open(request: SessionRequest): Promise<OpenedSession> {
    const { client, record } = request;
    const device = await this.exports.deviceOffer(record);
    // From here to the entry in the census nothing is awaited: of those that ask at once no more get in than may.
    this.limits.check(record, client);
    this.census.opening(client.name, exportName.format(record.id), client.address);
    try {
      const open = (offer: DeviceOffer) =>
        this.#whenFree(request, () => this.#leaseAndPrepare(request, offer));
      const opened = await open(device).catch(async (error: unknown) => {
        // Registry or worker was restarted between the calls, or the device attached anew: a fresh lease is valid again.
        if (error instanceof HoldfastError && error.code === 'LEASE_REFUSED') {
          return open(await this.exports.deviceOffer(record));
        }
        throw error;
      });
      this.census.opened(client.name);
      void this.rates.catchUp(record);
      return opened;
    } catch (error) {
      this.census.notOpened(client.name);
      throw error;
    }
  }

  /** Takes back an opened session whose client has gone before its socket was passed. */
  async abandon(name: string): Promise<void> {
    await this.#sessions.abandonSession({ name }).catch((error: unknown) => {
      this.logger.warn({ session: name }, `not abandoned, the worker will: ${messageOf(error)}`);
    });
  }

  /** T16: the worker answers new requests of a session with ESHUTDOWN from now on. @throws HoldfastError */
  async stop(name: string): Promise<void> {
    await this.#sessions.stopSession({ name });
  }

  close(): void {
    this.#leases.close();
    this.#sessions.close();
  }

  /**
   * A client that connects anew may come before the worker has told of the end of its session before.
   *
   * @throws HoldfastError LEASE_CONFLICT that tells the client nothing of others; the log names their sessions
   */
  async #whenFree<T>({ client, record }: SessionRequest, open: () => Promise<T>): Promise<T> {
    const end = performance.now() + CONFLICT_WAIT_MS;
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.code !== 'LEASE_CONFLICT') throw error;
        if (performance.now() >= end) {
          const facts = {
            session: client.name,
            client: client.address,
            export: record.id,
            ...error.metadata,
          };
          this.logger.warn(facts, `refused a client: ${error.message}`);
          const message = `another client uses the device of export "${record.id}" in a way that excludes this one`;
          throw new HoldfastError('LEASE_CONFLICT', message, { export: record.id }, error);
        }
      }
      await delay(CONFLICT_PAUSE_MS);
    }
  }

  async #leaseAndPrepare(request: SessionRequest, device: DeviceOffer): Promise<OpenedSession> {
    const { client, record, negotiated } = request;
    const readOnly = record.readOnly || device.readOnly;
    const lease = await this.#leases.acquireLease({
      device: deviceName.format(record.deviceId),
      session: client.name,
      ...claimOf(record, client, readOnly),
    });
    await reached('lease.received');
    const token = randomBytes(TOKEN_BYTES);
    try {
      const chunks = await this.exports.findChunks(record);
      const sizeBytes = chunks?.sizeBytes ?? lease.sizeBytes;
      const description = describeExport(record, { sizeBytes, device, negotiated });
      requireSameAttachment(device, lease);
      await this.#prepare(request, device, lease, { token, description, chunks });
      // The worker has a place for it, which has all changes of the map wait for it from now on.
      if (chunks !== undefined) await this.exports.serveChunks(chunks);
      return { token, description };
    } catch (error) {
      // The answer may be lost though the worker is ready: it must not be when the lease is given back.
      await this.abandon(client.name);
      await this.#giveBack(lease.name);
      throw error;
    }
  }

  async #prepare(
    { client, record, negotiated }: SessionRequest,
    device: DeviceOffer,
    lease: registryV1.Lease,
    { token, description, chunks }: OpenedSession & { readonly chunks: FoundChunks | undefined },
  ): Promise<void> {
    const blockSize = effectiveBlockSize(record.blockSize, device.upstream);
    await this.#sessions.prepareSession({
      session: {
        name: client.name,
        export: exportName.format(record.id),
        attachment: lease.attachment,
        lease: leaseName.parse(lease.name),
        epoch: lease.epoch,
        readOnly: record.readOnly || device.readOnly,
        clientAddress: client.address,
        blockSizeMinimum: blockSize.minimum,
        payloadMaximum: blockSize.payloadMaximum,
        startTime: client.startTime,
        engine: '',
        counters: undefined,
        replyMode: replyModes[negotiated.replyMode],
        metaContexts: [...negotiated.contexts],
        tls: negotiated.tls,
        sizeBytes: description.sizeBytes,
        rateLimit: rateMessage(record),
        chunks: chunks && toChunkSource(chunks),
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

function toChunkSource({ field, source }: FoundChunks): workerV1.ChunkSource {
  const { mapNumber: map, allocatorNumber: allocator, offset, chunkBytes, capacity, entries } = source;
  return { map, field, allocator, offset, chunkBytes, capacity, entries, epoch: 0n };
}

const replyModes = {
  simple: workerV1.ReplyMode.REPLY_MODE_SIMPLE,
  structured: workerV1.ReplyMode.REPLY_MODE_STRUCTURED,
  extended: workerV1.ReplyMode.REPLY_MODE_EXTENDED,
} as const satisfies Record<ReplyMode, workerV1.ReplyMode>;

/** What another server offers holds for one attachment: it may have become another between two calls. */
function requireSameAttachment({ attachment, upstream }: DeviceOffer, lease: registryV1.Lease): void {
  if (upstream === undefined || attachment === lease.attachment) return;
  throw new HoldfastError('LEASE_REFUSED', `${lease.device} was attached anew meanwhile`, {
    lease: lease.name,
  });
}
