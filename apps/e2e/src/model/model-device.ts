import { readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { LoopDevice } from '@holdfast/linux/testing/loop-device';
import { atEnd } from '../support/cleanup.js';
import { makeImage, MIB } from '../support/image.js';
import type { NbdSession } from '../support/nbd-session.js';

const IMAGE_BYTES = MIB;

/** Each session writes at a place of its own, behind what tells the images apart. */
export const STAMP_OFFSET = 64 * 1024;
export const STAMP_BYTES = 4096;
export const STAMPS_MAX = (IMAGE_BYTES - STAMP_OFFSET) / STAMP_BYTES;

export type DeviceKind = 'file' | 'loop' | 'block';

/** A client that is connected, as far as the model knows. */
export interface ModelSession {
  readonly client: NbdSession;
  readonly place: number;
  /** What it wrote last, and was answered. */
  written: Buffer | undefined;
}

/** What must be true of one device, whatever happened before. */
export class ModelDevice {
  attached = false;
  /** Of the last attachment; law 4: no later one has a lower. */
  epoch = 0n;
  sessions: ModelSession[] = [];
  /** The file that an attach opens now, and that is served while it is attached. */
  image: string;
  readonly #loop: LoopDevice | undefined;

  constructor(
    readonly id: string,
    readonly kind: DeviceKind,
  ) {
    this.image = makeImage(IMAGE_BYTES, { name: `${id}.img` });
    if (kind !== 'block') return;
    this.#loop = new LoopDevice(this.image);
    atEnd(() => {
      this.#loop?.[Symbol.dispose]();
    });
  }

  /** Arguments of `holdfast device add`. */
  get definition(): readonly string[] {
    return ['--kind', this.kind, '--path', this.#loop?.path ?? this.image];
  }

  /** What a caller who looked a moment ago expects; only devices with a number of their own have one. */
  get diskseq(): string | undefined {
    if (this.#loop === undefined) return undefined;
    const folder = `/sys/block/${path.basename(this.#loop.path)}`;
    return BigInt(readFileSync(`${folder}/diskseq`, 'utf8').trim()).toString(16);
  }

  /** Another program puts another disk in its place. */
  swap(): void {
    const next = makeImage(IMAGE_BYTES, { name: `${this.id}.img` });
    if (this.#loop === undefined) {
      renameSync(next, this.image);
      return;
    }
    this.#loop[Symbol.dispose]();
    new LoopDevice(next, { device: this.#loop.path });
    this.image = next;
  }

  /** The bytes that tell its image from every other. */
  get marker(): Buffer {
    return readFileSync(this.image).subarray(0, 512);
  }

  /** A place on the device that no session has. */
  freePlace(): number | undefined {
    const taken = new Set(this.sessions.map(({ place }) => place));
    return Array.from({ length: STAMPS_MAX }, (_, place) => place).find((place) => !taken.has(place));
  }

  dropSessions(): void {
    for (const { client } of this.sessions) client.hangUp();
    this.sessions = [];
  }
}
