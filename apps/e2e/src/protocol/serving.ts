import { closeSync, openSync, readSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast, type HoldfastOptions } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases, listSessions } from '../support/instance-facts.js';
import type { Transport } from '../support/ready-line.js';
import { enter } from './conversation.js';
import type { ReplyMode } from './reply-modes.js';
import { closeRawClients, RawClient } from './raw-client.js';

/** Both engines of the worker, and how to get one: what is proven in transmission is proven for each. */
export const engines = [
  { engine: 'thread', env: { HOLDFAST_WORKER_THREADS: '8' } },
  { engine: 'event-loop', env: { HOLDFAST_WORKER_THREADS: '0' } },
] as const;

export interface ServingOptions extends Omit<HoldfastOptions, 'images'> {
  /** Paths, made when the suite begins; one random image of 8 MiB unless told. */
  readonly images?: () => readonly string[];
  /** The engine that has to serve every session. */
  readonly engine?: string;
}

/** One instance for all tests of a suite. */
export class Serving {
  #holdfast: Holdfast | undefined;
  #images: readonly string[] = [];

  get holdfast(): Holdfast {
    if (this.#holdfast === undefined) throw new Error('it is started before the first test of the suite');
    return this.#holdfast;
  }

  /** Path of the first image. */
  get image(): string {
    return this.#images[0] ?? '';
  }

  async start({ images, engine, ...options }: ServingOptions): Promise<void> {
    this.#images = images === undefined ? [makeImage(8 * MIB)] : images();
    this.#holdfast = await startHoldfast({ ...options, images: this.#images });
    if (engine !== undefined) await this.#checkEngine(engine);
  }

  connect(transport?: Transport): Promise<RawClient> {
    return RawClient.connect(this.holdfast, transport);
  }

  /** A client in transmission; the only export unless told. */
  async enter(exportName?: string, transport?: Transport, mode?: ReplyMode): Promise<RawClient> {
    const client = await this.connect(transport);
    await enter(client, exportName, mode);
    return client;
  }

  /** What the first image holds now, read past the server. */
  imageBytes(offset: number, length: number): Buffer {
    const fd = openSync(this.image, 'r');
    try {
      const bytes = Buffer.alloc(length);
      expect(readSync(fd, bytes, 0, length, offset)).toBe(length);
      return bytes;
    } finally {
      closeSync(fd);
    }
  }

  /** Waits until nothing is left of any client: no session, no lease. */
  async idle(): Promise<void> {
    await eventually('the end of all sessions', async () => (await listSessions(this.holdfast)).length === 0);
    await eventually('the release of all leases', async () => (await listLeases(this.holdfast)).length === 0);
  }

  async #checkEngine(engine: string): Promise<void> {
    const client = await this.enter(this.holdfast.exports()[0]);
    // A session has no engine yet while its socket is on the way to the worker.
    const used = await eventually('the session to be served', async () => {
      const [session] = await listSessions(this.holdfast);
      return session?.engine !== '' && session?.engine;
    });
    expect(used).toBe(engine);
    client.close();
    await this.idle();
  }
}

/**
 * Starts an instance for the suite in which this is called. After every test its processes must be those that were
 * started, and nothing may be left of the test's clients; in the end it has to stop in order.
 */
export function serving(options: ServingOptions = {}): Serving {
  const suite = new Serving();
  let pids = new Map<string, number>();
  beforeAll(async () => {
    await suite.start(options);
    pids = suite.holdfast.pids();
  });
  afterEach(async () => {
    closeRawClients();
    await suite.idle();
    expect(suite.holdfast.pids()).toEqual(pids);
  });
  afterAll(async () => {
    expect(await suite.holdfast.stop()).toBe(0);
  });
  return suite;
}
