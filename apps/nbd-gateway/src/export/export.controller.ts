import { deviceName, exportName, formatPageToken, gatewayV1, parsePage } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { STRING_BYTES_MAX } from '@holdfast/nbd-protocol';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import type { ExportRecord } from '@holdfast/store';
import { Inject } from '@nestjs/common';
import { STORE, type StoreToken } from '../store.provider.js';
import { Endpoints } from './endpoints.js';
import { ExportService } from './export.service.js';

@GrpcController(gatewayV1.ExportServiceService)
export class ExportController implements GrpcControllerOf<gatewayV1.ExportServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly exports: ExportService,
    private readonly endpoints: Endpoints,
  ) {}

  async createExport(request: gatewayV1.CreateExportRequest): Promise<gatewayV1.Export> {
    const wanted = request.export ?? gatewayV1.Export.fromPartial({});
    if (Buffer.byteLength(wanted.description) > STRING_BYTES_MAX) {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        `export.description must be at most ${String(STRING_BYTES_MAX)} bytes`,
        {
          field: 'export.description',
        },
      );
    }
    const record = await this.store.exports.create({
      id: exportName.parse(exportName.format(request.exportId), 'export_id'),
      deviceId: deviceName.parse(wanted.device, 'export.device'),
      readOnly: wanted.readOnly,
      description: wanted.description,
      transient: wanted.transient,
    });
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

  async deleteExport(request: gatewayV1.DeleteExportRequest): Promise<Record<string, never>> {
    await this.store.exports.remove(exportName.parse(request.name));
    return {};
  }

  #message(record: ExportRecord, effectiveReadOnly: boolean): gatewayV1.Export {
    return {
      name: exportName.format(record.id),
      device: deviceName.format(record.deviceId),
      readOnly: record.readOnly,
      description: record.description,
      transient: record.transient,
      uris: this.endpoints.urisOf(record.id),
      createTime: record.createTime,
      effectiveReadOnly,
    };
  }
}
