/**
 * A small service that tells on standard output what happens to it. TEST_START: `slow`, `fail`, or how it starts by
 * default; TEST_STOP: `fail`; TEST_LATER: `throw`, `reject`.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { Module } from '@nestjs/common';
import { startWith, Subject, type Observable } from 'rxjs';
import { GrpcController, type GrpcControllerOf } from '../../grpc/grpc-controller.js';
import { ServiceHealth } from '../../grpc/health.js';
import type { Lifecycle } from '../../lifecycle.js';
import { integer, milliseconds } from '../../settings/schemas.js';
import { setting } from '../../settings/settings.js';
import { startService } from '../../start-service.js';

const event = (reason: string): workerV1.SessionEvent => ({ workerInstance: 'w', ended: undefined, reason });
const say = (line: string) => process.stdout.write(`${line}\n`);
const events = new Subject<workerV1.SessionEvent>();

@GrpcController(workerV1.SessionServiceService)
export class SessionController implements GrpcControllerOf<workerV1.SessionServiceService> {
  /** Fails as a bug would. */
  prepareSession(): workerV1.Session {
    throw new TypeError('cannot read properties of undefined');
  }

  /** Fails as a refusal does, later. */
  async abandonSession(request: workerV1.AbandonSessionRequest): Promise<Record<string, never>> {
    await delay(1);
    throw new HoldfastError('SESSION_NOT_FOUND', `no ${request.name}`, { session: request.name });
  }

  stopSession(): Record<string, never> {
    return {};
  }

  endSession(): Record<string, never> {
    return {};
  }

  setRateLimit(): Record<string, never> {
    return {};
  }

  /** Never answers. */
  listSessions(): Promise<workerV1.ListSessionsResponse> {
    say('listing');
    return new Promise(() => undefined);
  }

  watchSessions(): Observable<workerV1.SessionEvent> {
    return events.pipe(startWith(event('hello')));
  }
}

class TestLifecycle implements Lifecycle {
  constructor(private readonly health: ServiceHealth) {}

  async start(): Promise<void> {
    say('starting');
    const how = process.env['TEST_START'];
    if (how === 'fail') throw new HoldfastError('PORT_IN_USE', 'the port is taken; choose another');
    if (how === 'slow') await delay(1_500);
    this.health.ready();
    say('ready');
    const later = process.env['TEST_LATER'];
    if (later === 'throw') setTimeout(fail, 50);
    if (later === 'reject') setTimeout(() => void Promise.reject(new Error('a forgotten rejection')), 50);
  }

  drain(): Promise<void> {
    say('draining');
    if (process.env['TEST_STOP'] === 'fail') return Promise.reject(new Error('the disk is stuck'));
    events.next(event('last words'));
    events.complete();
    return Promise.resolve();
  }

  release(): Promise<void> {
    // The window in which a start that finished late would say that it serves.
    this.health.ready();
    say('released');
    return Promise.resolve();
  }
}

function fail(): never {
  throw new Error('a forgotten exception');
}

@Module({
  controllers: [SessionController],
  providers: [
    {
      provide: TestLifecycle,
      inject: [ServiceHealth],
      useFactory: (health: ServiceHealth) => new TestLifecycle(health),
    },
  ],
})
class TestModule {}

await startService({
  name: 'test-service',
  settings: {
    answer: setting('TEST_ANSWER', integer(1, 42), '42', 'A number.'),
    drainMs: setting('TEST_DRAIN_MS', milliseconds, '1000', 'A time.'),
  },
  protoPackage: 'holdfast.worker.v1',
  definitions: { SessionService: workerV1.SessionServiceService },
  socketPath: ({ stateFolder }) => path.join(stateFolder, 'test.sock'),
  lifecycle: TestLifecycle,
  drainMs: ({ drainMs }) => drainMs,
  module: () => ({ module: TestModule }),
});
