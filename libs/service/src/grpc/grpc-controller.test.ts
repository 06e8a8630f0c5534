import 'reflect-metadata';
import { workerV1 } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { GrpcController } from './grpc-controller.js';

const PATTERN = 'microservices:pattern';

test('a class is bound to every RPC of its definition by name', () => {
  class WorkerController {
    getWorker(): workerV1.Worker {
      return workerV1.Worker.fromPartial({});
    }
  }
  GrpcController(workerV1.WorkerServiceService)(WorkerController);
  const method = Object.getOwnPropertyDescriptor(WorkerController.prototype, 'getWorker')?.value as object;
  const patterns = Reflect.getMetadata(PATTERN, method) as unknown;
  expect(patterns).toEqual([{ service: 'WorkerService', rpc: 'getWorker', streaming: 'no_stream' }]);
});

test('a class that lacks a method is refused when it is declared, by the name of the RPC', () => {
  class Incomplete {
    adoptDevice(): void {
      // Enough to be there.
    }
  }
  expect(() => {
    GrpcController(workerV1.HoldingServiceService)(Incomplete as never);
  }).toThrow(new TypeError('Incomplete does not implement /holdfast.worker.v1.HoldingService/ReleaseDevice'));
});

test('a method of another type does not compile', () => {
  class WrongAnswer {
    getWorker(): string {
      return '';
    }
  }
  // @ts-expect-error — it answers with something else than a Worker
  GrpcController(workerV1.WorkerServiceService)(WrongAnswer);
  class Absent {
    readonly name = 'absent';
  }
  expect(() => {
    // @ts-expect-error — it lacks getWorker
    GrpcController(workerV1.WorkerServiceService)(Absent);
  }).toThrow(TypeError);
});
