import { allocatorName, mapName, verifierV1 } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { ChunkExportService } from './chunk-export.service.js';
import { MapFence } from './map-fence.js';

@GrpcController(verifierV1.ChunkServiceService)
export class ChunkExportController implements GrpcControllerOf<verifierV1.ChunkServiceService> {
  constructor(
    private readonly exports: ChunkExportService,
    private readonly fence: MapFence,
  ) {}

  resolveChunks({ map, field, allocator }: verifierV1.ResolveChunksRequest): Promise<verifierV1.ChunkSource> {
    const names = [mapName.parse(map, 'map'), field, allocatorName.parse(allocator, 'allocator')] as const;
    return this.exports.resolve(...names);
  }

  async serveChunks(request: verifierV1.ServeChunksRequest): Promise<Record<string, never>> {
    const { mapNumber, field, allocatorNumber } = request;
    await this.fence.serve({ map: mapNumber, field, allocator: allocatorNumber });
    return {};
  }
}
