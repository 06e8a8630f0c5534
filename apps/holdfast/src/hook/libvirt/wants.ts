import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/foundation';
import { lockFile, type OwnedFd } from '@holdfast/linux';

/** Between two attempts at a lock that another hook holds. */
const POLL_MS = 50;

/** Longer than a detach of another guest may take, and short enough that libvirt's caller still listens. */
const LOCK_WAIT_MS = 60_000;

const DEVICE = 'device';
const GUEST = 'guest-';

/**
 * Which guest wants which device: a file for each pair, in a folder for each device, under a runtime folder that is gone
 * after a boot, as the guests are. Names are hashed, since those of devices and guests may hold what file names may not.
 */
export class Wants {
  /** @param folder made with mode 0700 when it is absent */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** The devices that a guest wants, by name. */
  of(guest: string): string[] {
    return readdirSync(this.folder)
      .map((name) => path.join(this.folder, name))
      .filter((device) => existsSync(path.join(device, fileOf(guest))))
      .map((device) => readFileSync(path.join(device, DEVICE), 'utf8'));
  }

  /** Runs `action` while no other hook deals with the device. @throws HoldfastError DEVICE_BUSY */
  async exclusive<T>(device: string, action: () => Promise<T>): Promise<T> {
    const folder = this.#folderOf(device);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = await heldLock(path.join(folder, 'lock'), device);
    try {
      return await action();
    } finally {
      lock.close();
    }
  }

  /** Within `exclusive`. Whole or not at all, whenever this is killed. */
  add(device: string, guest: string): void {
    const folder = this.#folderOf(device);
    for (const [name, content] of [
      [DEVICE, device],
      [fileOf(guest), guest],
    ] as const) {
      const fresh = path.join(folder, 'new');
      writeFileSync(fresh, content, { mode: 0o600 });
      renameSync(fresh, path.join(folder, name));
    }
  }

  /** Within `exclusive`. @returns whether another guest wants the device */
  remove(device: string, guest: string): boolean {
    const folder = this.#folderOf(device);
    rmSync(path.join(folder, fileOf(guest)), { force: true });
    return readdirSync(folder).some((name) => name.startsWith(GUEST));
  }

  #folderOf(device: string): string {
    return path.join(this.folder, hash(device));
  }
}

async function heldLock(file: string, device: string): Promise<OwnedFd> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const lock = lockFile(file);
    if (lock !== undefined) return lock;
    if (performance.now() > deadline) {
      throw new HoldfastError(
        'DEVICE_BUSY',
        `another guest has been attaching or detaching the device "${device}" for ${String(LOCK_WAIT_MS / 1000)} s; start this one again`,
        { device },
      );
    }
    await delay(POLL_MS);
  }
}

function fileOf(guest: string): string {
  return `${GUEST}${hash(guest)}`;
}

function hash(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
