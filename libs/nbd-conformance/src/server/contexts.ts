import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { PeerFault } from '../peer-fault.js';
import { replyName, type OptionAnswer } from '../wire/option-reply.js';
import type { Handshake } from './handshake.js';

/** The context that the specification itself defines. */
export const BASE_ALLOCATION = 'base:allocation';

/** The contexts in an answer, ids by name. @throws PeerFault if a reply is too short */
export function contextsIn({ details }: OptionAnswer): Map<string, number> {
  return new Map(
    details
      .filter(({ type }) => type === OptionReplyType.META_CONTEXT)
      .map(({ data }) => {
        if (data.length < 5) throw new PeerFault(`an NBD_REP_META_CONTEXT of ${data.length} bytes`);
        return [data.toString('utf8', 4), data.readUInt32BE(0)] as const;
      }),
  );
}

/** Selects contexts. @param data of SET_META_CONTEXT. @throws PeerFault if the server refuses */
export async function selectContexts(handshake: Handshake, data: Uint8Array): Promise<Map<string, number>> {
  const answer = await handshake.ask(Option.SET_META_CONTEXT, data);
  if (answer.end.type === OptionReplyType.ACK) return contextsIn(answer);
  throw new PeerFault(`${replyName(answer.end.type)} to NBD_OPT_SET_META_CONTEXT`);
}
