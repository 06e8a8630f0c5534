import { deviceName, exportName, formatPageToken, gatewayV1, parsePage } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import type { ExportRecord } from '@holdfast/store';
import { Inject } from '@nestjs/common';
import { STORE, type StoreToken } from '../store.provider.js';
import { Endpoints } from './endpoints.js';
import { parseExportDefinition } from './export-definition.js';

@GrpcController(gatewayV1.ExportServiceService)
export class ExportController implements GrpcControllerOf<gatewayV1.ExportServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly endpoints: Endpoints,
  ) {}

  async createExport(request: gatewayV1.CreateExportRequest): Promise<gatewayV1.Export> {
    return this.#message(await this.store.exports.create(parseExportDefinition(request)));
  }

  async getExport(request: gatewayV1.GetExportRequest): Promise<gatewayV1.Export> {
    return this.#message(await this.store.exports.get(exportName.parse(request.name)));
  }

  async listExports(request: gatewayV1.ListExportsRequest): Promise<gatewayV1.ListExportsResponse> {
    const page = await this.store.exports.list(parsePage(request));
    return {
      exports: page.items.map((record) => this.#message(record)),
      nextPageToken: formatPageToken(page.next),
    };
  }

  async deleteExport(request: gatewayV1.DeleteExportRequest): Promise<Record<string, never>> {
    await this.store.exports.remove(exportName.parse(request.name));
    return {};
  }

  #message({ id, deviceId, ...record }: ExportRecord): gatewayV1.Export {
    return {
      ...record,
      name: exportName.format(id),
      device: deviceName.format(deviceId),
      allowedClients: [...record.allowedClients],
      uris: this.endpoints.urisOf(id),
    };
  }
}
