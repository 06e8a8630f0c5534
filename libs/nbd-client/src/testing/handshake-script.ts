import { fields, greeting, infoBlockSize, infoExport, optionReply } from './wire.js';
import type { ArrivedOption, Peer } from './peer.js';

/** What the server of a test has. */
export interface ServedExport {
  readonly mode: 'simple' | 'structured' | 'extended';
  readonly sizeBytes: number | bigint;
  /** Union of NBD_FLAG_…. Default: everything. */
  readonly flags?: number;
  readonly blockSize?: readonly [minimum: number, preferred: number, maximum: number];
  /** Ids by name. */
  readonly contexts?: Readonly<Record<string, number>>;
}

/** HAS_FLAGS and every offer, without READ_ONLY and ROTATIONAL. */
export const ALL_FLAGS = 0x1ded;

const ACK = 1;
const UNSUP = 0x8000_0001;

/** Does a handshake as a good server would, up to GO. @returns the options that came, in order */
export async function serveHandshake(peer: Peer, served: ServedExport): Promise<ArrivedOption[]> {
  peer.write(greeting());
  await peer.read(4);
  const options: ArrivedOption[] = [];
  for (;;) {
    const arrived = await peer.readOption();
    options.push(arrived);
    peer.write(answer(arrived, served));
    if (arrived.option === 7) return options;
    if (arrived.option === 2) throw new Error('the client left by ABORT');
  }
}

function answer({ option, data }: ArrivedOption, served: ServedExport): Buffer {
  switch (option) {
    case 2:
      return optionReply(2, ACK);
    case 3:
      return Buffer.concat([optionReply(3, 2, fields([32, 4], 'diska disk')), optionReply(3, ACK)]);
    case 6:
    case 7:
      return Buffer.concat([
        optionReply(option, 3, infoExport(served.sizeBytes, served.flags ?? ALL_FLAGS)),
        ...(served.blockSize ? [optionReply(option, 3, infoBlockSize(...served.blockSize))] : []),
        optionReply(option, ACK),
      ]);
    case 8:
      return optionReply(8, served.mode === 'simple' ? UNSUP : ACK);
    case 9:
    case 10:
      return Buffer.concat([
        ...Object.entries(served.contexts ?? {})
          .filter(([name]) => data.includes(name))
          .map(([name, id]) => optionReply(option, 4, fields([32, id], name))),
        optionReply(option, ACK),
      ]);
    case 11:
      return optionReply(11, served.mode === 'extended' ? ACK : UNSUP);
    default:
      return optionReply(option, UNSUP);
  }
}
