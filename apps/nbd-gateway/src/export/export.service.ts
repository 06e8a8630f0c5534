import { createClient, deviceName, listAll, registryV1, type ServiceClient } from '@holdfast/contracts';
import { assert, HoldfastError } from '@holdfast/foundation';
import type { ContextDefinition, ExportDescription, ExportListing, Negotiated } from '@holdfast/nbd-protocol';
import type { ExportRecord, Store } from '@holdfast/store';
import type { ConnectedClient } from '../client/connected-client.js';
import type { ChunkExports, FoundChunks } from './chunk-exports.js';
import { contextsOf, deviceOffer, type DeviceOffer } from './device-offer.js';
import { admit, isListed } from './export-admission.js';
import type { WantedExport } from './export-definition.js';
import { describeExport } from './export-description.js';

/** Exports fetched from the store, and devices from the registry, at once. */
const LISTING_PAGE = 1000;

/** Resolves what clients ask for, afresh at every option (N5). */
export class ExportService {
  readonly #store: Store;
  readonly #devices: ServiceClient<registryV1.DeviceServiceService>;

  constructor(
    store: Store,
    registryAddress: string,
    private readonly chunks: ChunkExports,
  ) {
    this.#store = store;
    this.#devices = createClient(registryV1.DeviceServiceService, registryAddress);
  }

  /**
   * Publishes a device, or chunks of one.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND, EXPORT_EXISTS; of chunks as {@link ChunkExports.deviceOf}
   */
  async create(wanted: WantedExport): Promise<ExportRecord> {
    const { chunks, deviceId } = wanted;
    const device = chunks === undefined ? deviceId : await this.chunks.deviceOf(chunks);
    assert(device !== undefined, 'an export is of a device or of chunks');
    return this.#store.exports.create({ ...wanted, deviceId: device });
  }

  /** What LIST answers to a client, by name. */
  async listings(client: ConnectedClient): Promise<ExportListing[]> {
    const listed: ExportListing[] = [];
    for await (const { id, description } of this.#listed(client)) listed.push({ name: id, description });
    return listed;
  }

  /**
   * The export of this name. The empty name is the default export (spec, "Option types"): the only one that the
   * client can see.
   *
   * @throws HoldfastError EXPORT_NOT_FOUND, TLS_REQUIRED, CLIENT_NOT_ALLOWED
   */
  async resolve(name: string, client: ConnectedClient): Promise<ExportRecord> {
    const record = name === '' ? await this.#only(client) : await this.#store.exports.get(name);
    admit(record, client);
    return record;
  }

  /**
   * What INFO announces of an export.
   *
   * @throws HoldfastError DEVICE_NOT_FOUND, DEVICE_NOT_ATTACHED; MAP_NOT_FOUND, ALLOCATOR_NOT_FOUND
   */
  async describe(record: ExportRecord, negotiated: Negotiated): Promise<ExportDescription> {
    const device = await this.#deviceOf(record);
    if (device.attachment?.state !== registryV1.Attachment_State.STATE_CONNECTED) {
      throw new HoldfastError('DEVICE_NOT_ATTACHED', `the device of export "${record.id}" is not attached`, {
        device: record.deviceId,
      });
    }
    const chunks = await this.chunks.find(record);
    const sizeBytes = chunks?.sizeBytes ?? device.attachment.currentSizeBytes;
    return describeExport(record, { sizeBytes, device: deviceOffer(device), negotiated });
  }

  /** What the device of an export lets it offer. @throws HoldfastError DEVICE_NOT_FOUND */
  async deviceOffer(record: ExportRecord): Promise<DeviceOffer> {
    return deviceOffer(await this.#deviceOf(record));
  }

  /** Where the chunks of an export are; undefined for one of a device. @throws HoldfastError as {@link ChunkExports.find} */
  findChunks(record: ExportRecord): Promise<FoundChunks | undefined> {
    return this.chunks.find(record);
  }

  /** The worker is told what sessions of these chunks may reach. @throws HoldfastError */
  serveChunks(chunks: FoundChunks): Promise<void> {
    return this.chunks.serve(chunks);
  }

  /** The metadata contexts that an export has. @throws HoldfastError DEVICE_NOT_FOUND */
  async contexts(record: ExportRecord): Promise<readonly ContextDefinition[]> {
    return contextsOf(await this.deviceOffer(record));
  }

  /** Whether clients of an export can only read: it says so, or its device can only be read. */
  async isReadOnly(record: ExportRecord): Promise<boolean> {
    if (record.readOnly) return true;
    return (await this.deviceOffer(record)).readOnly;
  }

  /** The ids of those that can only be read, among many: the devices are asked for once. */
  async readOnlyAmong(records: readonly ExportRecord[]): Promise<ReadonlySet<string>> {
    const devices = records.every(({ readOnly }) => readOnly) ? [] : await this.#listDevices();
    const readOnlyDevices = new Set(
      devices.filter((device) => deviceOffer(device).readOnly).map(({ name }) => name),
    );
    const readOnly = records.filter(
      (record) => record.readOnly || readOnlyDevices.has(deviceName.format(record.deviceId)),
    );
    return new Set(readOnly.map(({ id }) => id));
  }

  #deviceOf({ deviceId }: ExportRecord): Promise<registryV1.Device> {
    return this.#devices.getDevice({ name: deviceName.format(deviceId) });
  }

  #listDevices(): Promise<registryV1.Device[]> {
    return listAll(async (pageToken) => {
      const { devices, nextPageToken } = await this.#devices.listDevices({
        pageSize: LISTING_PAGE,
        pageToken,
      });
      return { items: devices, nextPageToken };
    });
  }

  close(): void {
    this.#devices.close();
    this.chunks.close();
  }

  async #only(client: ConnectedClient): Promise<ExportRecord> {
    const found: ExportRecord[] = [];
    for await (const record of this.#listed(client)) {
      found.push(record);
      if (found.length > 1) break;
    }
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    throw new HoldfastError('EXPORT_NOT_FOUND', 'there is no default export; name one of those listed');
  }

  async *#listed(client: ConnectedClient): AsyncGenerator<ExportRecord> {
    let after: string | undefined;
    do {
      const page = await this.#store.exports.list({ pageSize: LISTING_PAGE, after });
      yield* page.items.filter((record) => isListed(record, client));
      after = page.next;
    } while (after !== undefined);
  }
}
