import { workerV1 } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { Gate } from '../handover/gate.js';
import { SessionService } from '../session/session.service.js';

@GrpcController(workerV1.ChunkServiceService)
export class ChunkController implements GrpcControllerOf<workerV1.ChunkServiceService> {
  constructor(
    private readonly sessions: SessionService,
    private readonly gate: Gate,
  ) {}

  holdChunks({ map, epoch }: workerV1.HoldChunksRequest): Promise<Record<string, never>> {
    return this.gate.pass(async () => {
      await this.sessions.chunks.hold(map, epoch);
      return {};
    });
  }

  publishChunks(request: workerV1.PublishChunksRequest): Promise<Record<string, never>> {
    return this.gate.pass(() => {
      this.sessions.chunks.publish(request, request.epoch, request.chunks);
      return {};
    });
  }
}
