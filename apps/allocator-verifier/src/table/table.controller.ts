import { verifierV1 } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { toTableMessage } from './table-message.js';

@GrpcController(verifierV1.TableServiceService)
export class TableController implements GrpcControllerOf<verifierV1.TableServiceService> {
  constructor(private readonly lifetimes: Lifetimes) {}

  showTable(): verifierV1.Table {
    return toTableMessage(this.lifetimes.memory.table);
  }
}
