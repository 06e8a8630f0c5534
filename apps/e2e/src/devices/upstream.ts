import { rmSync } from 'node:fs';
import { newSocket, serveNbdkit, serveNbdServer, serveQemu, type Server } from '../nbd-client/servers.js';
import { freePort } from '../support/free-port.js';
import { startHoldfast } from '../support/holdfast.js';

/** Programs that serve what a device is made of. */
export type UpstreamKind = 'qemu-nbd' | 'nbdkit' | 'nbd-server' | 'holdfast';

/** Another NBD server, which may be killed and started again at the same place. */
export interface Upstream {
  readonly uri: string;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  /** Of qemu-nbd and nbdkit. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** @param image another one than before */
  readonly startAgain: (image?: string) => Promise<void>;
}

/** Serves an image. @param args further arguments of qemu-nbd and nbdkit */
export async function startUpstream(
  kind: UpstreamKind,
  image: string,
  args: readonly string[] = [],
): Promise<Upstream> {
  const serve = await starterOf(kind, args);
  let server = await serve(image);
  return {
    uri: server.uri,
    kill: () => server.kill(),
    signal: (signal) => server.signal?.(signal),
    startAgain: async (other = image) => {
      server = await serve(other);
    },
  };
}

async function starterOf(
  kind: UpstreamKind,
  args: readonly string[],
): Promise<(image: string) => Promise<Server>> {
  const socket = newSocket();
  switch (kind) {
    case 'qemu-nbd':
      return (image) => serveQemu(['-f', 'raw', '--discard=unmap', ...args, image], [], socket);
    case 'nbdkit':
      return (image) => {
        rmSync(socket, { force: true });
        return serveNbdkit([...args, 'file', image], { socket });
      };
    case 'nbd-server': {
      const port = await freePort();
      return (image) => serveNbdServer(image, port);
    }
    case 'holdfast':
      return async (image) => {
        const holdfast = await startHoldfast({ images: [image] });
        return { uri: holdfast.uri('tcp'), kill: () => holdfast.killEverything() };
      };
  }
}
