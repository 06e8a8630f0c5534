import type { ReferenceExport, ReferenceRequest } from './reference-server.js';

const READ = 0;
const WRITE = 1;
const FLUSH = 3;
const TRIM = 4;
const CACHE = 5;
const WRITE_ZEROES = 6;
const BLOCK_STATUS = 7;

/** Bytes that a BLOCK_STATUS asks about. */
export function statusLengthOf({ flags, length, payload }: ReferenceRequest): number {
  return Number((flags & 32) === 0 ? length : payload.readBigUInt64BE(0));
}

/** The error of a request, or 0; the rules of the specification, told a second time. */
export function errorOfRequest(request: ReferenceRequest, subject: ReferenceExport): number {
  const { type, flags } = request;
  const offers = (bit: number) => (subject.transmissionFlags & (1 << bit)) !== 0;
  const extended = subject.replyMode === 'extended';
  const contexts = subject.metaContexts ?? [];
  const writes = [WRITE, TRIM, WRITE_ZEROES].includes(type);
  const offered: Record<number, boolean> = {
    [READ]: true,
    [WRITE]: true,
    [FLUSH]: offers(2),
    [TRIM]: offers(5),
    [CACHE]: offers(10),
    [WRITE_ZEROES]: offers(6),
    [BLOCK_STATUS]: contexts.length > 0,
  };
  const legalFlags: Record<number, number> = {
    [READ]: offers(7) ? 4 : 0,
    [WRITE]: extended ? 32 : 0,
    [WRITE_ZEROES]: 2 | (offers(11) ? 16 : 0),
    [BLOCK_STATUS]: 8 | (offers(12) ? 32 : 0),
  };

  if (subject.shuttingDown === true) return 108;
  if (offered[type] === undefined) return 22;
  if (writes && offers(1)) return 1;
  if (!offered[type]) return 22;
  const legal = (legalFlags[type] ?? 0) | (offers(3) ? 1 : 0);
  if ((flags | legal) !== legal) return 22;
  if (type === FLUSH) return request.offset + request.length === 0n ? 0 : 22;
  const hasPayload = (flags & 32) !== 0;
  if (type === WRITE && extended && !hasPayload) return 22;
  if (type === BLOCK_STATUS && hasPayload) {
    if (!isFilter(request.payload, contexts)) return 22;
    return errorOfRange(request, request.payload.readBigUInt64BE(0), subject);
  }
  return errorOfRange(request, request.length, subject);
}

function errorOfRange(
  { type, offset }: ReferenceRequest,
  length: bigint,
  { image, blockSizeMinimum, payloadMaximum, badByte }: ReferenceExport,
): number {
  const writes = [WRITE, TRIM, WRITE_ZEROES].includes(type);
  const minimum = BigInt(blockSizeMinimum);
  const end = offset + length;
  if (length === 0n) return 22;
  if (type === READ && length > BigInt(payloadMaximum)) return 22;
  if (end > BigInt(image.length)) return type === WRITE || type === WRITE_ZEROES ? 28 : 22;
  if (offset % minimum !== 0n || length % minimum !== 0n) return 22;
  return badByte !== undefined && writes && offset <= badByte && badByte < end ? 5 : 0;
}

/** T12: a length, and the distinct ids of contexts that were selected. */
function isFilter(payload: Buffer, contexts: readonly { readonly id: number }[]): boolean {
  if (payload.length < 12 || (payload.length - 8) % 4 !== 0) return false;
  const ids = Array.from({ length: (payload.length - 8) / 4 }, (_, index) =>
    payload.readUInt32BE(8 + 4 * index),
  );
  return new Set(ids).size === ids.length && ids.every((id) => contexts.some((context) => context.id === id));
}
