import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { attachmentName, toIdentityMessage, workerV1 } from '@holdfast/contracts';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { byteCount } from '@holdfast/foundation';
import { identifyDevice, openDevice, sendHandoff, socketPair, type OwnedFd } from '@holdfast/linux';
import { advertisedFlags, DEFAULT_BLOCK_SIZE } from '@holdfast/nbd-protocol';
import { PinLedger } from '@holdfast/pin-ledger';
import { createLogger, HandoffInbox } from '@holdfast/service';
import { expect, onTestFinished } from 'vitest';
import type { Engine } from '../engine/engine.js';
import { Engines } from '../engine/engines.js';
import { EventLoopEngine } from '../engine/event-loop-engine.js';
import { ThreadEngine } from '../engine/thread-engine.js';
import type { DescriptorHolding, Holding } from '../holding/holding.js';
import { HoldingService } from '../holding/holding.service.js';
import { SessionMemory } from '../memory/session-memory.js';
import type { Session, SessionDefinition, SessionEnd } from '../session/session.js';
import { SessionService } from '../session/session.service.js';
import { NbdClient } from './nbd-client.js';
import { UPSTREAM_BYTES, type UpstreamServer } from './upstream-server.js';

export const SESSIONS_MAX = 8;
export const IMAGE_BYTES = 1024 * 1024;

/** Holdings and sessions of a worker with real sockets and files, and what registry and gateway do with them. */
export class WorkerScene {
  readonly folder = temporaryFolder();
  readonly image = path.join(this.folder, 'disk.img');
  readonly registryHandoff = path.join(this.folder, 'registry');
  readonly logger = createLogger('io-worker', 'silent');
  readonly inbox = new HandoffInbox(this.logger);
  readonly ledger = new PinLedger();
  readonly holdings = new HoldingService(this.inbox, this.registryHandoff, this.ledger, this.logger);
  readonly endings: { readonly name: string; readonly reason: SessionEnd }[] = [];
  readonly sessions: SessionService;
  /** A test that has none expects every session to balance. */
  expectedViolations = 0;
  readonly #workerHandoff = path.join(this.folder, 'worker');
  #leases = 100n;

  private constructor(engine: Engine | undefined, memoryMax: number) {
    writeFileSync(this.image, Buffer.alloc(IMAGE_BYTES, 'disk '));
    // No thread is ever idle, since none is made.
    const engines = new Engines(new ThreadEngine(this.logger), new EventLoopEngine());
    if (engine !== undefined) engines.choose = () => engine;
    this.sessions = new SessionService(
      this.inbox,
      this.holdings,
      engines,
      this.ledger,
      SESSIONS_MAX,
      new SessionMemory({ memoryMax, threads: 0, sessionsMax: SESSIONS_MAX }, this.logger),
      this.logger,
    );
    this.sessions.endings.subscribe(({ session, reason }) => {
      this.endings.push({ name: session.definition.name, reason });
    });
  }

  /**
   * @param engine serves all sessions in place of the event loop
   * @param memoryMax of all sessions, in bytes
   */
  static async start(engine?: Engine, memoryMax = 2 ** 30): Promise<WorkerScene> {
    const scene = new WorkerScene(engine, memoryMax);
    await scene.inbox.listen(scene.#workerHandoff);
    scene.sessions.open();
    onTestFinished(async () => {
      await scene.sessions.stop(0);
      await scene.inbox.close();
      scene.holdings.closeAll();
      expect(scene.ledger.violations(), 'E10 at rest').toHaveLength(scene.expectedViolations);
      if (scene.expectedViolations === 0) expect(scene.ledger.outstanding()).toEqual([]);
    });
    return scene;
  }

  /** What the registry says of an open device. */
  message(fd: OwnedFd, change: Partial<workerV1.Holding> = {}): workerV1.Holding {
    const identity = identifyDevice(fd.number);
    return {
      attachment: attachmentName.format('disk', '1'),
      epoch: 1n,
      device: { $case: 'identity', value: toIdentityMessage(identity) },
      sizeBytes: BigInt(identity.sizeBytes),
      readOnly: false,
      ...change,
    };
  }

  /** Passes a descriptor as registry and gateway do. */
  async pass(
    fd: number,
    token: Buffer = randomBytes(16),
    payload: Uint8Array = new Uint8Array(),
  ): Promise<Buffer> {
    await sendHandoff(this.#workerHandoff, token, payload, fd);
    return token;
  }

  /** Has the worker hold the image, as an attach does. */
  async hold(change: Partial<workerV1.Holding> = {}): Promise<DescriptorHolding> {
    using fd = openDevice(this.image, { readOnly: false });
    return await this.holdings.adopt(await this.pass(fd.number), this.message(fd, change));
  }

  /** Has the worker hold an export of another server, as an attach does; `resumed` as after a restart of the worker. */
  async holdRemote(
    server: UpstreamServer,
    { resumed = false, sizeBytes = UPSTREAM_BYTES } = {},
  ): Promise<Holding> {
    const remote = server.message();
    const message = workerV1.Holding.fromPartial({
      attachment: attachmentName.format('far', '1'),
      epoch: 1n,
      sizeBytes: BigInt(sizeBytes),
      device: { $case: 'remote', value: remote },
    });
    return this.holdings.adoptRemote(message, remote, resumed);
  }

  definition(name: string, holding: Holding, change: Partial<SessionDefinition> = {}): SessionDefinition {
    return {
      name: `sessions/${name}`,
      exportName: 'exports/disk',
      holding,
      lease: this.#leases++,
      readOnly: false,
      clientAddress: '127.0.0.1:1',
      tls: false,
      startTime: new Date(),
      facts: {
        sizeBytes: byteCount(IMAGE_BYTES),
        transmissionFlags: advertisedFlags({ readOnly: false }),
        blockSizeMinimum: DEFAULT_BLOCK_SIZE.minimum,
        payloadMaximum: DEFAULT_BLOCK_SIZE.payloadMaximum,
        replyMode: 'simple',
        metaContexts: [],
      },
      ...change,
    };
  }

  /** A session that is served, as the gateway makes one, and its client. */
  async serve(name: string, holding: Holding): Promise<{ session: Session; client: NbdClient }> {
    const token = randomBytes(16);
    const session = await this.sessions.prepare(this.definition(name, holding), token);
    const client = await this.passSocket(token);
    const deadline = performance.now() + 5_000;
    while (session.state.kind === 'prepared' && performance.now() < deadline) await new Promise(setImmediate);
    return { session, client };
  }

  /** The gateway's last act: the client's socket goes to the worker, with what was read of it. */
  async passSocket(token: Buffer, payload?: Uint8Array, { hungUp = false } = {}): Promise<NbdClient> {
    const [socket, other] = socketPair();
    using passed = socket;
    const client = new NbdClient(other);
    onTestFinished(() => {
      client.hangUp();
    });
    if (hungUp) {
      client.hangUp();
      await new Promise(setImmediate);
    }
    await this.pass(passed.number, token, payload);
    return client;
  }

  content(length: number, offset = 0): string {
    return readFileSync(this.image)
      .subarray(offset, offset + length)
      .toString();
  }
}
