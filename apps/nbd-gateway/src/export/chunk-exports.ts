import {
  allocatorName,
  createClient,
  deviceName,
  mapName,
  verifierV1,
  type ServiceClient,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { ExportChunks, ExportRecord } from '@holdfast/store';

/** Where the chunks of an export are now. */
export interface FoundChunks {
  readonly field: string;
  readonly source: verifierV1.ChunkSource;
  readonly sizeBytes: bigint;
}

/** What the gateway asks the allocator-verifier about exports of chunks. Every failure is a HoldfastError. */
export class ChunkExports {
  readonly #chunks: ServiceClient<verifierV1.ChunkServiceService>;

  /** @param verifierAddress gRPC target */
  constructor(verifierAddress: string) {
    this.#chunks = createClient(verifierV1.ChunkServiceService, verifierAddress);
  }

  /** The id of the device that chunks are on. @throws HoldfastError MAP_NOT_FOUND, ALLOCATOR_NOT_FOUND, INVALID_ARGUMENT */
  async deviceOf(chunks: ExportChunks): Promise<string> {
    return deviceName.parse((await this.#resolve(chunks)).device);
  }

  /**
   * Where the chunks of an export are, afresh; undefined for an export of a device.
   *
   * @throws HoldfastError MAP_NOT_FOUND; ALLOCATOR_NOT_FOUND, also when it is another one now, on another device
   */
  async find({ id, deviceId, chunks }: ExportRecord): Promise<FoundChunks | undefined> {
    if (chunks === undefined) return undefined;
    const source = await this.#resolve(chunks);
    if (source.device !== deviceName.format(deviceId)) {
      throw new HoldfastError(
        'ALLOCATOR_NOT_FOUND',
        `the allocator ${chunks.allocator} of export "${id}" is on another device now: publish the export anew`,
        { allocator: chunks.allocator, export: id },
      );
    }
    const sizeBytes = BigInt(source.chunkBytes) * BigInt(source.entries);
    return { field: chunks.field, source, sizeBytes };
  }

  /** The worker knows what sessions of these chunks may reach, when this is answered. @throws HoldfastError */
  async serve({ field, source }: FoundChunks): Promise<void> {
    const { mapNumber, allocatorNumber } = source;
    await this.#chunks.serveChunks({ mapNumber, field, allocatorNumber });
  }

  close(): void {
    this.#chunks.close();
  }

  #resolve({ map, field, allocator }: ExportChunks): Promise<verifierV1.ChunkSource> {
    return this.#chunks.resolveChunks({
      map: mapName.format(map),
      field,
      allocator: allocatorName.format(allocator),
    });
  }
}
