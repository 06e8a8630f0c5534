import { serveHandshake, type ServedExport } from './handshake-script.js';
import type { ArrivedRequest, Peer } from './peer.js';
import { blockStatus, DONE, errorChunk, none, offsetData, simpleReply, type Framing } from './wire.js';

/** An export that is a buffer, with whatever extents a test wants. */
export interface MemoryExport extends ServedExport {
  readonly image: Buffer;
  /** Extents of each context from an offset on; at least one. */
  readonly extentsOf?: (
    context: string,
    offset: bigint,
    length: bigint,
  ) => readonly (readonly [length: bigint, flags: bigint])[];
  /** Told of each request, before it is answered. */
  readonly onRequest?: (request: ArrivedRequest) => void | Promise<void>;
  /** Answers a request with these bytes, and does nothing else about it; undefined: as a good server. */
  readonly refuse?: (request: ArrivedRequest) => Buffer | undefined;
}

/** Serves a connection like a good, plain server: each request in turn, in the negotiated form. */
export async function serveMemory(peer: Peer, served: MemoryExport): Promise<void> {
  const options = await serveHandshake(peer, served);
  const selection = options.findLast(({ option }) => option === 10)?.data ?? Buffer.alloc(0);
  const contexts = Object.entries(served.contexts ?? {}).filter(([name]) => selection.includes(name));
  for (;;) {
    const request = await peer.readRequest();
    await served.onRequest?.(request);
    if (request.type === 2) {
      peer.stream.end();
      return;
    }
    peer.write(served.refuse?.(request) ?? reply(request, served, contexts));
  }
}

function reply(
  request: ArrivedRequest,
  served: MemoryExport,
  contexts: readonly (readonly [name: string, id: number])[],
): Buffer {
  const { cookie, offset, length } = request;
  const framing: Framing = { extended: served.mode === 'extended', cookie, offset };
  const from = Number(offset);
  const to = from + Number(length);
  switch (request.type) {
    case 0: {
      const data = served.image.subarray(from, to);
      return served.mode === 'simple'
        ? simpleReply(cookie, 0, data)
        : offsetData(framing, offset, data, DONE);
    }
    case 1:
      served.image.set(request.payload, from);
      return success(framing, served);
    case 4:
    case 6:
      served.image.fill(0, from, to);
      return success(framing, served);
    case 7:
      return status(framing, request, served, contexts);
    case 3:
    case 5:
      return success(framing, served);
    default:
      return served.mode === 'simple' ? simpleReply(cookie, 22) : errorChunk(framing, 22, 'unknown command');
  }
}

function success(framing: Framing, { mode }: MemoryExport): Buffer {
  return mode === 'simple' ? simpleReply(framing.cookie) : none(framing);
}

function status(
  framing: Framing,
  request: ArrivedRequest,
  served: MemoryExport,
  contexts: readonly (readonly [name: string, id: number])[],
): Buffer {
  const { payload } = request;
  const ids = Array.from({ length: Math.max(0, payload.length - 8) / 4 }, (_, index) =>
    payload.readUInt32BE(8 + 4 * index),
  );
  const length = payload.length > 0 ? payload.readBigUInt64BE() : request.length;
  const chunks = contexts
    .filter(([, id]) => payload.length === 0 || ids.includes(id))
    .map(([name, id]) =>
      blockStatus(framing, id, served.extentsOf?.(name, request.offset, length) ?? [[length, 0n]]),
    );
  return Buffer.concat([...chunks, none(framing)]);
}
