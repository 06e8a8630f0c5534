import { formatPageToken, mapName, parsePage, verifierV1 } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { STORE, type StoreToken } from '../store.provider.js';
import { formatValueKey, parseMap, parseValueKey, toMapMessage, toValueMessage } from './map-message.js';
import { MapService } from './map.service.js';

@GrpcController(verifierV1.MapServiceService)
export class MapController implements GrpcControllerOf<verifierV1.MapServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly maps: MapService,
  ) {}

  async createMap(request: verifierV1.CreateMapRequest): Promise<verifierV1.Map> {
    return toMapMessage(await this.maps.create(parseMap(request)));
  }

  async getMap(request: verifierV1.GetMapRequest): Promise<verifierV1.Map> {
    return toMapMessage(await this.store.maps.get(mapName.parse(request.name)));
  }

  async listMaps(request: verifierV1.ListMapsRequest): Promise<verifierV1.ListMapsResponse> {
    const { items, next } = await this.store.maps.list(parsePage(request));
    return { maps: items.map(toMapMessage), nextPageToken: formatPageToken(next) };
  }

  async freeMap(request: verifierV1.FreeMapRequest): Promise<Record<string, never>> {
    await this.maps.free(mapName.parse(request.name));
    return {};
  }

  async listMapValues(request: verifierV1.ListMapValuesRequest): Promise<verifierV1.ListMapValuesResponse> {
    const { number } = await this.store.maps.get(mapName.parse(request.name));
    const { pageSize, after } = parsePage(request);
    const { items, next } = await this.store.maps.values({
      mapNumber: number,
      pageSize,
      after: after === undefined ? undefined : parseValueKey(after),
    });
    return {
      values: items.map(toValueMessage),
      nextPageToken: formatPageToken(next === undefined ? undefined : formatValueKey(next)),
    };
  }
}
