import { createClient, deviceName, listAll, registryV1, type ServiceClient } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import {
  advertisedFlags,
  DEFAULT_BLOCK_SIZE,
  type ExportDescription,
  type ExportListing,
} from '@holdfast/nbd-protocol';
import type { ExportRecord, Store } from '@holdfast/store';

/** Exports fetched from the store, and devices from the registry, at once. */
const LISTING_PAGE = 1000;

/** Resolves what clients ask for, afresh at every option (N5). */
export class ExportService {
  readonly #store: Store;
  readonly #devices: ServiceClient<registryV1.DeviceServiceService>;

  constructor(store: Store, registryAddress: string) {
    this.#store = store;
    this.#devices = createClient(registryV1.DeviceServiceService, registryAddress);
  }

  /** All exports by name. */
  async list(): Promise<ExportRecord[]> {
    const all: ExportRecord[] = [];
    let after: string | undefined;
    do {
      const page = await this.#store.exports.list({ pageSize: LISTING_PAGE, after });
      all.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return all;
  }

  /** What LIST answers. */
  async listings(): Promise<ExportListing[]> {
    return (await this.list()).map(({ id, description }) => ({ name: id, description }));
  }

  /**
   * The export of this name. The empty name is the default export (spec, "Option types"): the only one there is.
   *
   * @throws HoldfastError EXPORT_NOT_FOUND
   */
  async resolve(name: string): Promise<ExportRecord> {
    if (name !== '') return this.#store.exports.get(name);
    const { items, next } = await this.#store.exports.list({ pageSize: 2 });
    const [only] = items;
    if (only === undefined || items.length > 1 || next !== undefined) {
      throw new HoldfastError('EXPORT_NOT_FOUND', 'there is no default export; name one of those listed');
    }
    return only;
  }

  /**
   * What INFO announces of an export.
   *
   * @throws HoldfastError EXPORT_NOT_FOUND, DEVICE_NOT_ATTACHED
   */
  async describe(name: string): Promise<ExportDescription> {
    const record = await this.resolve(name);
    const device = await this.#devices.getDevice({ name: deviceName.format(record.deviceId) });
    if (device.attachment?.state !== registryV1.Attachment_State.STATE_CONNECTED) {
      throw new HoldfastError('DEVICE_NOT_ATTACHED', `the device of export "${record.id}" is not attached`, {
        device: record.deviceId,
      });
    }
    return describeExport(record, device.attachment.sizeBytes, record.readOnly || device.readOnly);
  }

  /** Whether clients of an export can only read: it says so, or its device can only be read. */
  async isReadOnly(record: ExportRecord): Promise<boolean> {
    if (record.readOnly) return true;
    return (await this.#devices.getDevice({ name: deviceName.format(record.deviceId) })).readOnly;
  }

  /** The ids of those that can only be read, among many: the devices are asked for once. */
  async readOnlyAmong(records: readonly ExportRecord[]): Promise<ReadonlySet<string>> {
    const devices = records.every(({ readOnly }) => readOnly) ? [] : await this.#listDevices();
    const readOnlyDevices = new Set(devices.filter(({ readOnly }) => readOnly).map(({ name }) => name));
    const readOnly = records.filter(
      (record) => record.readOnly || readOnlyDevices.has(deviceName.format(record.deviceId)),
    );
    return new Set(readOnly.map(({ id }) => id));
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
  }
}

/** One place for what is announced, so that INFO and GO say the same. */
export function describeExport(
  record: ExportRecord,
  sizeBytes: bigint,
  readOnly: boolean,
): ExportDescription {
  return {
    name: record.id,
    description: record.description,
    sizeBytes,
    transmissionFlags: advertisedFlags({ readOnly }),
    blockSize: DEFAULT_BLOCK_SIZE,
  };
}
