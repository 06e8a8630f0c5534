import {
  allocatorName,
  deviceName,
  exportName,
  formatPageToken,
  gatewayV1,
  mapName,
  parsePage,
} from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import type { ExportChunks, ExportRecord } from '@holdfast/store';
import { Inject } from '@nestjs/common';
import { STORE, type StoreToken } from '../store.provider.js';
import { TLS_UPGRADE, type TlsUpgrade } from '../tls/tls-upgrade.js';
import { Endpoints } from './endpoints.js';
import { parseExportDefinition, writersCodes } from './export-definition.js';
import { ExportService } from './export.service.js';
import { RateAnnouncer } from './rate-announcer.js';
import { parseRateLimitChange, toRateLimitMessage } from './rate-limit.js';

@GrpcController(gatewayV1.ExportServiceService)
export class ExportController implements GrpcControllerOf<gatewayV1.ExportServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly exports: ExportService,
    private readonly endpoints: Endpoints,
    private readonly rates: RateAnnouncer,
    @Inject(TLS_UPGRADE) private readonly tls: TlsUpgrade | undefined,
  ) {}

  async createExport(request: gatewayV1.CreateExportRequest): Promise<gatewayV1.Export> {
    const record = await this.exports.create(parseExportDefinition(request));
    return this.#message(record, await this.exports.isReadOnly(record));
  }

  async getExport(request: gatewayV1.GetExportRequest): Promise<gatewayV1.Export> {
    const record = await this.store.exports.get(exportName.parse(request.name));
    return this.#message(record, await this.exports.isReadOnly(record));
  }

  async listExports(request: gatewayV1.ListExportsRequest): Promise<gatewayV1.ListExportsResponse> {
    const page = await this.store.exports.list(parsePage(request));
    const readOnly = await this.exports.readOnlyAmong(page.items);
    return {
      exports: page.items.map((record) => this.#message(record, readOnly.has(record.id))),
      nextPageToken: formatPageToken(page.next),
    };
  }

  async updateExport(request: gatewayV1.UpdateExportRequest): Promise<gatewayV1.Export> {
    const wanted = request.export ?? gatewayV1.Export.fromPartial({});
    const id = exportName.parse(wanted.name, 'export.name');
    const change = parseRateLimitChange(wanted.rateLimit, request.updateMask);
    const record = await this.store.exports.changeRateLimit(id, change);
    await this.rates.announce([record]);
    return this.#message(record, await this.exports.isReadOnly(record));
  }

  async deleteExport(request: gatewayV1.DeleteExportRequest): Promise<Record<string, never>> {
    await this.store.exports.remove(exportName.parse(request.name));
    return {};
  }

  #message({ id, deviceId, ...record }: ExportRecord, effectiveReadOnly: boolean): gatewayV1.Export {
    const needsTls = record.tlsRequired || this.tls?.mode === 'required';
    return {
      ...record,
      effectiveReadOnly,
      name: exportName.format(id),
      device: deviceName.format(deviceId),
      allowedClients: [...record.allowedClients],
      writers: writersCodes[record.writers],
      chunks: record.chunks && toChunksMessage(record.chunks),
      rateLimit: toRateLimitMessage(record.rateLimit),
      uris: this.endpoints.urisOf(id, { needsTls }),
    };
  }
}

function toChunksMessage({ map, field, allocator }: ExportChunks): gatewayV1.Chunks {
  return { map: mapName.format(map), field, allocator: allocatorName.format(allocator) };
}
