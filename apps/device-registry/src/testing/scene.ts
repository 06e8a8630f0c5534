import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stateLayout, type StateLayout } from '@holdfast/contracts';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import type { AttachmentRecord } from '@holdfast/store';
import { onTestFinished } from 'vitest';
import { RecordingWorker } from './recording-worker.js';
import { TestRegistry } from './registry.js';

export const IMAGE_BYTES = 1024 * 1024;

/** A state folder with an image in it, and the registries and workers of one test; all end with it. */
export class Scene {
  readonly folder = temporaryFolder();
  readonly layout: StateLayout = stateLayout(this.folder);
  readonly image = path.join(this.folder, 'disk.img');

  constructor() {
    writeFileSync(this.image, '');
    truncateSync(this.image, IMAGE_BYTES);
  }

  async worker(): Promise<RecordingWorker> {
    const worker = await RecordingWorker.start(this.layout);
    onTestFinished(() => worker.die());
    return worker;
  }

  async registry(): Promise<TestRegistry> {
    const registry = await TestRegistry.start(this.folder);
    onTestFinished(() => registry.die());
    return registry;
  }

  /** One that has not begun to follow the worker. */
  async idleRegistry(): Promise<TestRegistry> {
    const registry = await TestRegistry.create(this.folder);
    onTestFinished(() => registry.die());
    return registry;
  }

  /** Registers the image as a device. */
  async add(registry: TestRegistry, id: string, { readOnly = false } = {}): Promise<void> {
    const definition = {
      id,
      backing: { kind: 'file' as const, path: this.image },
      readOnly,
      transient: false,
    };
    await registry.store.devices.create(definition);
  }

  /** Descriptors that this process, registry and worker in one, has open on the image. */
  openCount(): number {
    const numbers = readdirSync('/proc/self/fd');
    return numbers.filter((number) => targetOf(number) === this.image).length;
  }
}

/**
 * A worker and a registry that are in step, and, unless it is `empty`, the image as the device `disk`.
 *
 * @param what how far that device is
 */
export async function startScene(what: 'empty' | 'registered' | 'attached') {
  const scene = new Scene();
  const worker = await scene.worker();
  const registry = await scene.registry();
  if (what !== 'empty') await scene.add(registry, 'disk');
  if (what === 'attached') await registry.attachments.attach('disk');
  return { scene, worker, registry };
}

function targetOf(number: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${number}`);
  } catch {
    // The descriptor of the listing itself.
    return undefined;
  }
}

/** What the record says of a device. */
export async function recordOf(registry: TestRegistry, id: string): Promise<AttachmentRecord> {
  const { attachment } = await registry.store.devices.get(id);
  if (attachment === undefined) throw new Error(`${id} was never attached`);
  return attachment;
}

export function attachmentOf({ deviceId, id }: AttachmentRecord): string {
  return `devices/${deviceId}/attachments/${id}`;
}
