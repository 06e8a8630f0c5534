import { workerV1 } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { Observable } from 'rxjs';
import { HandoverService, type Successor } from './handover.service.js';

@GrpcController(workerV1.HandoverServiceService)
export class HandoverController implements GrpcControllerOf<workerV1.HandoverServiceService> {
  constructor(private readonly handover: HandoverService) {}

  /** Stays open until the handover is over: its end is how each side learns of the other's. */
  beginHandover(): Observable<workerV1.HandoverItem> {
    return new Observable((subscriber) => {
      const successor: Successor = {
        take: (item) => {
          subscriber.next(item);
        },
        callOff: (reason) => {
          subscriber.error(reason);
        },
      };
      this.handover.begin(successor);
      return () => {
        this.handover.left(successor);
      };
    });
  }

  async passDescriptors({ handover }: workerV1.PassDescriptorsRequest): Promise<Record<string, never>> {
    await this.handover.pass(handover);
    return {};
  }

  async commitHandover({ handover }: workerV1.CommitHandoverRequest): Promise<Record<string, never>> {
    await this.handover.commit(handover);
    return {};
  }
}
