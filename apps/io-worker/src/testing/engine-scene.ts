import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { byteCount } from '@holdfast/foundation';
import { socketPair, type OwnedFd } from '@holdfast/linux';
import {
  advertisedFlags,
  DEFAULT_BLOCK_SIZE,
  type ReplyMode,
  type TransmissionFacts,
} from '@holdfast/nbd-protocol';
import { PinLedger, type Account } from '@holdfast/pin-ledger';
import { expect, onTestFinished } from 'vitest';
import type { ChunkView } from '../chunks/chunk-device.js';
import type { DirectAccess } from '../direct/direct-access.js';
import type { Engine, ServeOutcome } from '../engine/engine.js';
import type { EventedDevice } from '../engine/evented-device.js';
import { SessionControl } from '../engine/session-control.js';
import { Site } from '../pins/pin-sites.js';
import type { SharedLimit } from '../rate/shared-limit.js';
import { ChunkClient } from './chunk-client.js';
import { NbdClient } from './nbd-client.js';

export const DISK_BYTES = 4 * 1024 * 1024;

/** Byte `i` of the pattern that a test's disk begins with. */
export function patternByte(i: number): number {
  return (i * 7 + (i >> 8) + (i >> 16)) & 0xff;
}

const pattern = Buffer.from(Uint8Array.from({ length: DISK_BYTES }, (_, i) => patternByte(i)));

export interface SessionOptions {
  readonly readOnly?: boolean;
  readonly preload?: Uint8Array;
  /** Another device than the disk. */
  readonly device?: number | EventedDevice;
  /** How the device is read and written past the page cache, if it is. */
  readonly direct?: DirectAccess | undefined;
  /** Chunks of the device in its place. */
  readonly chunks?: ChunkView;
  /** Size of the export, the disk's if it is not given. */
  readonly sizeBytes?: number;
  readonly replyMode?: ReplyMode;
  /** Selected: `base:allocation` as 1, `qemu:allocation-depth` as 2. */
  readonly contexts?: boolean;
  /** What it may take; no limit if it is not given. */
  readonly limit?: SharedLimit;
}

export const CONTEXTS = [
  { id: 1, name: 'base:allocation' },
  { id: 2, name: 'qemu:allocation-depth' },
] as const;

/** A disk image with a pattern on it, and sessions that one engine serves. */
export class EngineScene {
  readonly file: string;
  readonly fd: number;
  readonly ledger = new PinLedger();
  readonly #engine: Engine;

  constructor(engine: Engine, folder = temporaryFolder()) {
    this.#engine = engine;
    this.file = path.join(folder, 'disk.img');
    writeFileSync(this.file, pattern);
    this.fd = openSync(this.file, 'r+');
    onTestFinished(() => {
      closeSync(this.fd);
    });
  }

  /** What is on the disk now. */
  content(offset = 0, length = DISK_BYTES): Buffer {
    return readFileSync(this.file).subarray(offset, offset + length);
  }

  original(offset = 0, length = DISK_BYTES): Buffer {
    return pattern.subarray(offset, offset + length);
  }

  allocatedBytes(): number {
    return statSync(this.file).blocks * 512;
  }

  truncate(length: number): void {
    ftruncateSync(this.fd, length);
  }

  /** What a session of the disk is, without its socket. */
  session() {
    const device = this.fd;
    return { device, facts: factsOf(DISK_BYTES), preload: new Uint8Array() };
  }

  /** Begins a session over a socket pair. */
  serve({
    readOnly = false,
    preload = new Uint8Array(),
    device = this.fd,
    direct,
    chunks: view,
    sizeBytes = DISK_BYTES,
    replyMode = 'simple',
    contexts = false,
    limit,
  }: SessionOptions = {}): {
    client: NbdClient;
    /** Of a session whose replies come in chunks. */
    chunks: ChunkClient;
    control: SessionControl;
    socket: OwnedFd;
    account: Account;
    ended: Promise<ServeOutcome>;
  } {
    const [socket, other] = socketPair();
    const client = new NbdClient(other);
    const control = new SessionControl();
    const account = this.ledger.open({ session: 'sessions/test', device: 'devices/disk/attachments/1' });
    const ended = this.#engine.serve({
      socket,
      device,
      direct,
      chunks: view,
      facts: factsOf(sizeBytes, { readOnly, replyMode, contexts }),
      preload,
      control,
      pins: account.memory,
      limit,
    });
    onTestFinished(async () => {
      client.hangUp();
      await ended;
      const violations = this.ledger.close(account, Site['session.end']);
      expect(violations, 'E10 at rest acquired equals released').toEqual([]);
      socket[Symbol.dispose]();
    });
    return { client, chunks: new ChunkClient(client, replyMode), control, socket, account, ended };
  }
}

function factsOf(
  sizeBytes: number,
  { readOnly = false, replyMode = 'simple', contexts = false }: SessionOptions = {},
): TransmissionFacts {
  return {
    sizeBytes: byteCount(sizeBytes),
    transmissionFlags: advertisedFlags({ readOnly, replyMode, hasContexts: contexts }),
    blockSizeMinimum: DEFAULT_BLOCK_SIZE.minimum,
    payloadMaximum: DEFAULT_BLOCK_SIZE.payloadMaximum,
    replyMode,
    metaContexts: contexts ? CONTEXTS : [],
  };
}
