import { Command, TransmissionFlag } from '@holdfast/nbd-protocol';
import { HoldfastError } from '@holdfast/foundation';
import { REGION_BYTES } from '../limits.js';
import { PeerFault } from '../peer-fault.js';
import { errorName } from '../wire/reply.js';
import type { ExportFacts } from './export-facts.js';
import type { Region, Server } from './server.js';
import type { Session } from './session.js';

/** A region in the middle: partition tables and superblocks stand at the ends. */
export function regionOf({ sizeBytes }: ExportFacts): Region {
  const length = BigInt(REGION_BYTES);
  if (sizeBytes < length) {
    throw new HoldfastError(
      'NBD_REQUEST_INVALID',
      `the export has ${sizeBytes} bytes: to check by writing, it needs ${REGION_BYTES} or more`,
    );
  }
  const middle = (sizeBytes / 2n / length) * length;
  return { offset: middle, length: REGION_BYTES };
}

/** Reads what a region holds. */
export async function save(server: Server, { offset, length }: Region): Promise<Buffer> {
  return inSession(server, async (session) => {
    const pieces: Buffer[] = [];
    for (const [at, size] of piecesOf(session, offset, length)) pieces.push(await session.read(at, size));
    return Buffer.concat(pieces);
  });
}

/** Writes back what a region held, unless it still does. @throws PeerFault if that fails */
export async function restore(server: Server, region: Region, saved: Buffer): Promise<void> {
  if ((await save(server, region)).equals(saved)) return;
  await inSession(server, async (session) => {
    for (const [offset, size] of piecesOf(session, region.offset, region.length)) {
      const from = Number(offset - region.offset);
      await succeed(session, { type: Command.WRITE, offset, payload: saved.subarray(from, from + size) });
    }
    if (session.has(TransmissionFlag.SEND_FLUSH)) await succeed(session, { type: Command.FLUSH });
  });
}

async function succeed(session: Session, request: Parameters<Session['ask']>[0]): Promise<void> {
  const { error } = await session.ask(request);
  if (error !== 0) throw new PeerFault(`${errorName(error)} while the region was written back`);
}

function* piecesOf(
  { blockSize }: Session,
  offset: bigint,
  length: number,
): Generator<[at: bigint, size: number]> {
  const most = blockSize.maximum - (blockSize.maximum % blockSize.minimum);
  for (let at = 0; at < length; at += most) yield [offset + BigInt(at), Math.min(most, length - at)];
}

async function inSession<Result>(
  server: Server,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await server.enter('simple');
  try {
    const result = await work(session);
    session.leave();
    return result;
  } catch (error) {
    session.close();
    throw error;
  }
}
