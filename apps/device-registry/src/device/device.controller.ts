import { deviceName, formatPageToken, parsePage, registryV1 } from '@holdfast/contracts';
import { isLive } from '@holdfast/lease';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { AttachmentService } from '../attachment/attachment.service.js';
import { parseExpectedDiskseq } from '../attachment/expected-diskseq.js';
import { STORE, type StoreToken } from '../store.provider.js';
import { parseDevice, toDeviceMessage } from './device-message.js';

@GrpcController(registryV1.DeviceServiceService)
export class DeviceController implements GrpcControllerOf<registryV1.DeviceServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly attachments: AttachmentService,
  ) {}

  async createDevice(request: registryV1.CreateDeviceRequest): Promise<registryV1.Device> {
    return toDeviceMessage(await this.store.devices.create(parseDevice(request)));
  }

  async getDevice(request: registryV1.GetDeviceRequest): Promise<registryV1.Device> {
    return toDeviceMessage(await this.store.devices.get(deviceName.parse(request.name)));
  }

  async listDevices(request: registryV1.ListDevicesRequest): Promise<registryV1.ListDevicesResponse> {
    const page = await this.store.devices.list(parsePage(request));
    return { devices: page.items.map(toDeviceMessage), nextPageToken: formatPageToken(page.next) };
  }

  async deleteDevice(request: registryV1.DeleteDeviceRequest): Promise<Record<string, never>> {
    const id = deviceName.parse(request.name);
    await this.store.devices.requireUnused(id);
    const device = await this.store.devices.find(id);
    if (device?.attachment !== undefined && isLive(device.attachment.state))
      await this.attachments.detach(id);
    await this.store.devices.remove(id);
    return {};
  }

  async attachDevice(request: registryV1.AttachDeviceRequest): Promise<registryV1.Device> {
    const expected = parseExpectedDiskseq(request.expectedDiskseq);
    return toDeviceMessage(await this.attachments.attach(deviceName.parse(request.name), expected));
  }

  async detachDevice(request: registryV1.DetachDeviceRequest): Promise<registryV1.Device> {
    const id = deviceName.parse(request.name);
    const device = await this.store.devices.find(id);
    // Undo of what is absent is OK.
    if (device === undefined) return registryV1.Device.fromPartial({ name: request.name });
    return toDeviceMessage(await this.attachments.detach(id));
  }
}
