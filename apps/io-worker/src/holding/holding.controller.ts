import { attachmentName, toIdentityMessage, workerV1 } from '@holdfast/contracts';
import { Inject } from '@nestjs/common';
import {
  GrpcController,
  PROCESS_IDENTITY,
  reached,
  type GrpcControllerOf,
  type ProcessIdentity,
} from '@holdfast/service';
import { SessionService } from '../session/session.service.js';
import type { Holding } from './holding.js';
import { HoldingService } from './holding.service.js';
import { checkToken } from '../session/token.js';

@GrpcController(workerV1.HoldingServiceService)
export class HoldingController implements GrpcControllerOf<workerV1.HoldingServiceService> {
  constructor(
    private readonly holdings: HoldingService,
    private readonly sessions: SessionService,
    @Inject(PROCESS_IDENTITY) private readonly identity: ProcessIdentity,
  ) {}

  async adoptDevice(request: workerV1.AdoptDeviceRequest): Promise<workerV1.Holding> {
    const expected = request.holding ?? workerV1.Holding.fromPartial({});
    attachmentName.parse(expected.attachment, 'holding.attachment');
    const { device } = expected;
    const holding =
      device?.$case === 'remote'
        ? await this.holdings.adoptRemote(expected, device.value, request.resumed)
        : await this.holdings.adopt(checkToken(request.token), expected);
    await reached('handover.adopted');
    return toHoldingMessage(holding);
  }

  async releaseDevice(request: workerV1.ReleaseDeviceRequest): Promise<Record<string, never>> {
    this.holdings.release(request.attachment);
    await reached('detach.closed');
    return {};
  }

  async returnDevice(request: workerV1.ReturnDeviceRequest): Promise<workerV1.Holding> {
    const holding = await this.holdings.giveBack(request.attachment, checkToken(request.token));
    await reached('return.sent');
    return toHoldingMessage(holding);
  }

  reconcile(request: workerV1.ReconcileRequest): workerV1.ReconcileResponse {
    this.sessions.voidLeasesUpTo(request.voidLeasesUpTo);
    if (request.voidUnclaimed) this.holdings.voidUnclaimed();
    return {
      workerInstance: this.identity.instance,
      holdings: this.holdings.list().map(toHoldingMessage),
      liveLeases: this.sessions.list().map((session) => session.lease),
    };
  }
}

function toHoldingMessage(holding: Holding): workerV1.Holding {
  return {
    attachment: holding.attachment,
    epoch: holding.epoch,
    device:
      holding.kind === 'remote'
        ? { $case: 'remote', value: holding.remote.message }
        : { $case: 'identity', value: toIdentityMessage(holding.identity) },
    sizeBytes: BigInt(holding.sizeBytes),
    readOnly: holding.readOnly,
  };
}
