import { registryV1 } from '@holdfast/contracts';
import { MAX_SAFE_BYTES, parseDiskseq } from '@holdfast/foundation';
import { bootId } from '@holdfast/linux';
import { parseNbd, toNbdMessage } from './nbd-message.js';
import type { DeviceBacking, ExpectedDevice } from '@holdfast/store';
import path from 'node:path';
import { invalid } from './invalid.js';

/** PATH_MAX without its closing NUL (path_resolution(7)). */
const PATH_BYTES_MAX = 4095;
/** Names that the kernel tells of a device: DM_UUID_LEN is the longest (<linux/dm-ioctl.h>). */
const FACT_BYTES_MAX = 129;

const SECTOR_BYTES = 512;
const BLOCK_SIZE_MAX = 65_536;

type BackingMessage = NonNullable<registryV1.Device['backing']>;

export function toBackingMessage(backing: DeviceBacking): BackingMessage {
  switch (backing.kind) {
    case 'file':
      return { $case: 'file', value: { path: backing.path, directIo: backing.directIo ?? false } };
    case 'loop': {
      const { path: location, offset, sizeLimit, blockSize, directIo } = backing;
      return {
        $case: 'loop',
        value: { path: location, offset: BigInt(offset), sizeLimit: BigInt(sizeLimit), blockSize, directIo },
      };
    }
    case 'block':
      return {
        $case: 'block',
        value: registryV1.BlockBacking.fromPartial({
          path: backing.path,
          ...backing.expected,
          directIo: backing.directIo ?? false,
        }),
      };
    case 'nbd':
      return { $case: 'nbd', value: toNbdMessage(backing) };
  }
}

/** @throws HoldfastError INVALID_ARGUMENT naming the field */
export function parseBacking(backing: BackingMessage | undefined): DeviceBacking {
  if (backing === undefined) throw invalid('device.backing', 'must be given: file, loop, block or nbd');
  if (backing.$case === 'nbd') return parseNbd(backing.value);
  const location = parsePath(`device.${backing.$case}.path`, backing.value.path);
  switch (backing.$case) {
    case 'file':
      return { kind: 'file', path: location, ...parseDirect(backing.value) };
    case 'loop':
      return { kind: 'loop', path: location, ...parseLoop(backing.value) };
    case 'block':
      return {
        kind: 'block',
        path: location,
        expected: parseExpected(backing.value),
        ...parseDirect(backing.value),
      };
  }
}

function parsePath(field: string, location: string): string {
  if (!path.isAbsolute(location)) throw invalid(field, `must be an absolute path, is "${location}"`);
  if (location.includes('\0')) throw invalid(field, 'must not contain NUL');
  if (Buffer.byteLength(location) > PATH_BYTES_MAX)
    throw invalid(field, `must be at most ${String(PATH_BYTES_MAX)} bytes`);
  return location;
}

function parseDirect({ directIo }: { readonly directIo: boolean }): { readonly directIo?: true } {
  return directIo ? { directIo } : {};
}

function parseLoop({ offset, sizeLimit, blockSize, directIo }: registryV1.LoopBacking) {
  const isPowerOfTwo = (blockSize & (blockSize - 1)) === 0;
  if (blockSize !== 0 && (!isPowerOfTwo || blockSize < SECTOR_BYTES || blockSize > BLOCK_SIZE_MAX))
    throw invalid('device.loop.block_size', 'must be a power of two, 512 to 65536, or 0');
  if (offset > BigInt(MAX_SAFE_BYTES)) throw invalid('device.loop.offset', 'must be less than 2^53');
  if (sizeLimit > BigInt(MAX_SAFE_BYTES) || sizeLimit % BigInt(SECTOR_BYTES) !== 0n)
    throw invalid('device.loop.size_limit', 'must be a multiple of 512, and less than 2^53');
  return { offset: Number(offset), sizeLimit: Number(sizeLimit), blockSize, directIo };
}

function parseExpected({ diskseq, dmName, dmUuid, wwn, serial }: registryV1.BlockBacking): ExpectedDevice {
  if (diskseq !== '' && parseDiskseq(diskseq) === undefined)
    throw invalid('device.block.diskseq', `must be 1 to 16 hexadecimal digits, is "${diskseq}"`);
  const given = Object.entries({ diskseq: diskseq.toLowerCase(), dmName, dmUuid, wwn, serial }).filter(
    ([, value]) => value !== '',
  );
  for (const [name, value] of given) {
    if (Buffer.byteLength(value) > FACT_BYTES_MAX)
      throw invalid(`device.block.${name}`, `must be at most ${String(FACT_BYTES_MAX)} bytes`);
  }
  return { ...Object.fromEntries(given), ...(diskseq !== '' && { diskseqBootId: bootId() }) };
}
