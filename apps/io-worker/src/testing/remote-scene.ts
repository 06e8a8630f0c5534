import { NativeBuffer } from '@holdfast/linux';
import type { MemoryExport } from '@holdfast/nbd-client/testing/memory-export';
import { createLogger } from '@holdfast/service';
import { onTestFinished } from 'vitest';
import { RemoteDevice, type OpenedRemote } from '../remote/remote-device.js';
import { UPSTREAM_BYTES, UpstreamServer, type RemoteOptions } from './upstream-server.js';

const BUFFER_BYTES = 256 * 1024;

/** A server, the device that is its export, and a session's way to it. */
export interface RemoteScene extends OpenedRemote {
  readonly server: UpstreamServer;
  readonly device: RemoteDevice;
  /** What is written, and where it is read to. */
  readonly buffer: NativeBuffer;
  /** The way of one more session. */
  readonly another: () => Promise<OpenedRemote>;
}

export async function remoteScene(
  served: Partial<MemoryExport> = {},
  options: RemoteOptions = {},
): Promise<RemoteScene> {
  const server = await UpstreamServer.start(served);
  const device = new RemoteDevice(server.message(options), BigInt(options.sizeBytes ?? UPSTREAM_BYTES));
  const buffer = NativeBuffer.allocate(BUFFER_BYTES);
  const another = async () => {
    const opened = await device.open(new AbortController().signal, createLogger('io-worker', 'silent'));
    onTestFinished(() => {
      opened.link.cut();
    });
    return opened;
  };
  return { server, device, buffer, another, ...(await another()) };
}

/** Whether something is answered, or still waited for. */
export async function isPending(promise: Promise<unknown>, afterMs: number): Promise<boolean> {
  const late = Symbol('late');
  const timeout = new Promise((resolve) => setTimeout(resolve, afterMs, late));
  return (await Promise.race([promise, timeout])) === late;
}
