import type { ExtentList, ReplyMode } from '@holdfast/nbd-protocol';
import { AllocationState, Step, TransmissionFlag, TransmissionMachine } from '@holdfast/nbd-protocol';
import { byteCount } from '@holdfast/foundation';
import type { Peer } from './peer.js';

export const TIB = 2 ** 40;
export const SECTOR_BYTES = 512;

const CONTEXT = { id: 1, name: 'base:allocation' };
const HOLE = AllocationState.HOLE | AllocationState.ZERO;

/** What a disk says of itself whose sectors are data and holes by turns: the most extents that a disk can have. */
function flagsAt(offset: number): number {
  return Math.floor(offset / SECTOR_BYTES) % 2 === 0 ? 0 : HOLE;
}

/**
 * Serves the transmission of 1 TiB of such sectors by the server's own machine, over the client's end of a stream.
 *
 * @param outputBytes the reply buffer; the worker has 1 MiB
 */
export async function serveFineExtents(
  peer: Peer,
  replyMode: Exclude<ReplyMode, 'simple'>,
  outputBytes: number,
): Promise<void> {
  const input = new Uint8Array(4096);
  const output = new Uint8Array(outputBytes);
  const machine = new TransmissionMachine(
    {
      sizeBytes: byteCount(TIB),
      transmissionFlags: TransmissionFlag.HAS_FLAGS | TransmissionFlag.SEND_DF,
      blockSizeMinimum: 1,
      payloadMaximum: 32 * 1024 * 1024,
      replyMode,
      metaContexts: [CONTEXT],
    },
    { input, output },
    { transferMinimum: Infinity },
  );
  for (;;) {
    const step = machine.next();
    if (step === Step.receive) {
      const bytes = await peer.read(replyMode === 'extended' ? 32 : 28);
      input.set(bytes, machine.inputOffset);
      machine.received(bytes.length);
    } else if (step === Step.send) {
      const { outputOffset, outputLength } = machine;
      peer.write(output.subarray(outputOffset, outputOffset + outputLength));
      machine.sent();
    } else if (step === Step.extents) {
      report(machine.extents, machine.fileOffset, machine.length);
      machine.completed(0);
    } else {
      peer.stream.end();
      return;
    }
  }
}

function report(extents: ExtentList, offset: number, length: number): void {
  for (let at = offset; at < offset + length && !extents.isFull;) {
    const end = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES;
    extents.add(end - at, flagsAt(at));
    at = end;
  }
}
