import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import type { Trial } from '../../trial.js';
import { infoData } from '../../wire/option.js';

/** An export that no server has, unless it has them all. */
export const UNKNOWN_EXPORT = 'holdfast-conformance: there is no such export';

/** Whether INFO grants even that: some servers have one disk under all names. */
export async function grantsEveryName({ server }: Trial): Promise<boolean> {
  const handshake = await server.negotiate();
  try {
    const { end } = await handshake.ask(Option.INFO, infoData(UNKNOWN_EXPORT));
    return end.type === OptionReplyType.ACK;
  } finally {
    handshake.close();
  }
}
