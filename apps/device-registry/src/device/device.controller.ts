import { deviceName, durationMs, formatPageToken, parsePage, registryV1 } from '@holdfast/contracts';
import { isLive } from '@holdfast/lease';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import type { Cause } from '@holdfast/store';
import { Inject } from '@nestjs/common';
import { from, switchMap, type Observable } from 'rxjs';
import { AttachmentService } from '../attachment/attachment.service.js';
import { ReleaseExplainer } from '../attachment/explain.js';
import { parseExpectedDiskseq } from '../attachment/expected-diskseq.js';
import { SizeWatch } from '../attachment/size-watch.js';
import { attachedFor, detachedFor, registeredFor, removedFor } from '../request/earlier-outcome.js';
import { RequestService, type RequestMark } from '../request/request.service.js';
import { STORE, type StoreToken } from '../store.provider.js';
import { deviceChanges, resumeAfter } from './device-changes.js';
import { parseDevice, toDeviceMessage } from './device-message.js';

const { createDevice, deleteDevice, attachDevice, detachDevice } = registryV1.DeviceServiceService;

/** Longest deadline of a detach: a caller who waits longer has gone. */
const DRAIN_MS_MAX = 24 * 60 * 60 * 1000;

@GrpcController(registryV1.DeviceServiceService)
export class DeviceController implements GrpcControllerOf<registryV1.DeviceServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly attachments: AttachmentService,
    private readonly explainer: ReleaseExplainer,
    private readonly requests: RequestService,
    private readonly sizes: SizeWatch,
  ) {}

  async createDevice(request: registryV1.CreateDeviceRequest): Promise<registryV1.Device> {
    return this.requests.once(createDevice, request, {
      earlier: (effect) => registeredFor(this.store, request.deviceId, effect),
      act: async (mark) => {
        const cause: Cause = { actor: 'operator', reason: 'it was registered', ...mark };
        return toDeviceMessage(await this.store.devices.create(parseDevice(request), cause));
      },
    });
  }

  async getDevice(request: registryV1.GetDeviceRequest): Promise<registryV1.Device> {
    const id = deviceName.parse(request.name);
    await this.sizes.look(id);
    return toDeviceMessage(await this.store.devices.get(id));
  }

  async listDevices(request: registryV1.ListDevicesRequest): Promise<registryV1.ListDevicesResponse> {
    const page = await this.store.devices.list(parsePage(request));
    return { devices: page.items.map(toDeviceMessage), nextPageToken: formatPageToken(page.next) };
  }

  async deleteDevice(request: registryV1.DeleteDeviceRequest): Promise<Record<string, never>> {
    const id = deviceName.parse(request.name);
    await this.requests.once(deleteDevice, request, {
      earlier: removedFor,
      act: (mark) => this.#delete(id, { actor: 'operator', reason: 'its removal was asked for', ...mark }),
    });
    return {};
  }

  async #delete(id: string, cause: Cause): Promise<Record<string, never>> {
    await this.store.devices.requireUnused(id);
    const device = await this.store.devices.find(id);
    if (device?.attachment !== undefined && isLive(device.attachment.state))
      await this.attachments.detach(id, cause);
    await this.store.devices.remove(id, cause);
    return {};
  }

  async attachDevice(request: registryV1.AttachDeviceRequest): Promise<registryV1.Device> {
    const id = deviceName.parse(request.name);
    const expected = parseExpectedDiskseq(request.expectedDiskseq);
    return this.requests.once(attachDevice, request, {
      earlier: (effect) => attachedFor(this.store, this.attachments, id, effect, expected),
      act: async (mark) => {
        const cause: Cause = { actor: 'operator', reason: 'attach was asked for', ...mark };
        return toDeviceMessage(await this.attachments.attach(id, cause, expected));
      },
    });
  }

  async detachDevice(request: registryV1.DetachDeviceRequest): Promise<registryV1.DetachDeviceResponse> {
    const id = deviceName.parse(request.name);
    return this.requests.once(detachDevice, request, {
      earlier: (effect) => detachedFor(this.store, id, effect),
      act: (mark) => this.#detach(id, request, mark),
    });
  }

  async #detach(
    id: string,
    { force, drainTimeout }: registryV1.DetachDeviceRequest,
    mark: RequestMark,
  ): Promise<registryV1.DetachDeviceResponse> {
    const drainMs = durationMs('drain_timeout', drainTimeout, DRAIN_MS_MAX);
    // Undo of what is absent is OK.
    if ((await this.store.devices.find(id)) === undefined) return { device: undefined, cutSessions: [] };
    const reason = force ? 'a forced detach was asked for' : 'detach was asked for';
    const cause: Cause = { actor: 'operator', reason, ...mark };
    const { device, cutSessions } = await this.attachments.detach(id, cause, { drainMs, force });
    return { device: toDeviceMessage(device), cutSessions };
  }

  explainRelease(request: registryV1.ExplainReleaseRequest): Promise<registryV1.ReleaseExplanation> {
    return this.explainer.explain(deviceName.parse(request.name));
  }

  watchDevices(request: registryV1.WatchDevicesRequest): Observable<registryV1.DeviceChange> {
    const deviceId = request.name === '' ? undefined : deviceName.parse(request.name);
    return from(resumeAfter(this.store, request.resumeToken)).pipe(
      switchMap((after) => deviceChanges(this.store, after, deviceId)),
    );
  }
}
