import { attachmentName, workerV1 } from '@holdfast/contracts';
import { GrpcController, reached, type GrpcControllerOf } from '@holdfast/service';
import { Gate } from '../handover/gate.js';
import { SessionService } from '../session/session.service.js';
import { WorkerInstance } from '../worker/worker-instance.js';
import { toHoldingMessage } from './holding-message.js';
import { HoldingService } from './holding.service.js';
import { checkToken } from '../session/token.js';

@GrpcController(workerV1.HoldingServiceService)
export class HoldingController implements GrpcControllerOf<workerV1.HoldingServiceService> {
  constructor(
    private readonly holdings: HoldingService,
    private readonly sessions: SessionService,
    private readonly instance: WorkerInstance,
    private readonly gate: Gate,
  ) {}

  adoptDevice(request: workerV1.AdoptDeviceRequest): Promise<workerV1.Holding> {
    return this.gate.pass(async () => {
      const expected = request.holding ?? workerV1.Holding.fromPartial({});
      attachmentName.parse(expected.attachment, 'holding.attachment');
      const { device } = expected;
      const holding =
        device?.$case === 'remote'
          ? await this.holdings.adoptRemote(expected, device.value, request.resumed)
          : await this.holdings.adopt(checkToken(request.token), expected);
      await reached('handover.adopted');
      return toHoldingMessage(holding);
    });
  }

  releaseDevice(request: workerV1.ReleaseDeviceRequest): Promise<Record<string, never>> {
    return this.gate.pass(async () => {
      this.holdings.release(request.attachment);
      await reached('detach.closed');
      return {};
    });
  }

  async returnDevice(request: workerV1.ReturnDeviceRequest): Promise<workerV1.Holding> {
    const holding = await this.holdings.giveBack(request.attachment, checkToken(request.token));
    await reached('return.sent');
    return toHoldingMessage(holding);
  }

  reconcile(request: workerV1.ReconcileRequest): Promise<workerV1.ReconcileResponse> {
    return this.gate.pass(() => {
      this.sessions.voidLeasesUpTo(request.voidLeasesUpTo);
      if (request.voidUnclaimed) this.holdings.voidUnclaimed();
      return {
        workerInstance: this.instance.name,
        holdings: this.holdings.list().map(toHoldingMessage),
        liveLeases: this.sessions.list().map((session) => session.lease),
      };
    });
  }
}
