import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import type { NbdConnection } from '@holdfast/nbd-client';
import { TransmissionFlag } from '@holdfast/nbd-protocol';
import type { CopyDestination } from './copy-end.js';
import { abandonAll, closeAll } from './nbd-connections.js';
import { at } from './nbd-source.js';
import { writeZeroBytes } from './write-zero-bytes.js';

/** An export to copy to. */
export function nbdDestination(
  name: string,
  connections: readonly NbdConnection[],
  readsAsZeroes: boolean,
): CopyDestination {
  const [first] = connections;
  assert(first !== undefined, 'an export is reached by a connection');
  const { blockSize, exportInfo } = first;
  const offers = (flag: number) => (exportInfo.transmissionFlags & flag) !== 0;
  const blockBytes = blockSize.minimum;

  const write = async (data: Buffer, offset: bigint, number: number): Promise<void> => {
    const connection = at(connections, number);
    const whole = data.length - (data.length % blockBytes);
    if (whole > 0) await connection.write(offset, data.subarray(0, whole));
    if (whole < data.length) await writePartOfBlock(connection, offset + BigInt(whole), data.subarray(whole));
  };
  const writeZeroes = async (offset: bigint, length: bigint, number: number): Promise<void> => {
    const rest = length % BigInt(blockBytes);
    if (length > rest) await at(connections, number).writeZeroes(offset, length - rest);
    if (rest > 0n) await write(Buffer.alloc(Number(rest)), offset + length - rest, number);
  };
  return {
    name,
    blockBytes,
    transferBytesMax: blockSize.payloadMaximum,
    connections: connections.length,
    readsAsZeroes,
    write,
    writeZeroes: offers(TransmissionFlag.SEND_WRITE_ZEROES) ? writeZeroes : writeZeroBytes(write, blockSize),
    flush: async () => {
      // By any of them: copies use several only where a flush on one speaks for all.
      if (offers(TransmissionFlag.SEND_FLUSH)) await first.flush();
    },
    close: () => closeAll(connections),
    abandon: () => {
      abandonAll(connections);
    },
  };
}

/** The source ends within a block of the destination: what the destination has in the rest of it stays. */
async function writePartOfBlock(connection: NbdConnection, offset: bigint, data: Buffer): Promise<void> {
  const block = await connection.read(offset, connection.blockSize.minimum);
  data.copy(block);
  await connection.write(offset, block);
}
