import { HoldfastError } from '@holdfast/foundation';
import { Option, OptionReplyType, type ReplyMode } from '@holdfast/nbd-protocol';
import { PeerFault } from '../peer-fault.js';
import { allModes } from '../probe.js';
import { replyName } from '../wire/option-reply.js';
import type { ExportFacts } from './export-facts.js';
import { BASE_ALLOCATION } from './contexts.js';
import { Refused, type Server } from './server.js';

/**
 * Finds out which modes a server has: enters transmission once in each.
 *
 * @throws HoldfastError NBD_SERVER_UNREACHABLE, NBD_OPTION_REFUSED when the export is not to be had, and
 *   NBD_PROTOCOL_VIOLATION when what answers does not even come to transmission
 */
export async function survey(server: Server): Promise<void> {
  const modes = new Map<ReplyMode, ExportFacts>();
  const modesWithContexts = new Set<ReplyMode>();
  for (const mode of allModes) {
    const facts = await enterOnce(server, mode);
    if (facts === undefined) continue;
    modes.set(mode, facts);
    if (mode !== 'simple' && (await hasContexts(server, mode))) modesWithContexts.add(mode);
  }
  server.modes = modes;
  server.modesWithContexts = modesWithContexts;
}

/** @returns undefined if the mode is not offered */
async function enterOnce(server: Server, mode: ReplyMode): Promise<ExportFacts | undefined> {
  try {
    const session = await server.enter(mode);
    session.leave();
    return session.facts;
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    if (error instanceof Refused && error.option !== Option.GO) return undefined;
    throw noWayIn(error);
  }
}

async function hasContexts(server: Server, mode: ReplyMode): Promise<boolean> {
  try {
    const session = await server.enter(mode, { contexts: [BASE_ALLOCATION] });
    session.leave();
    return session.contexts.has(BASE_ALLOCATION);
  } catch (error) {
    if (error instanceof PeerFault) return false;
    throw error;
  }
}

function noWayIn(error: PeerFault): HoldfastError {
  if (!(error instanceof Refused)) {
    const sentence = `the check could not begin, because no handshake could be done: ${error.message}`;
    return new HoldfastError('NBD_PROTOCOL_VIOLATION', sentence, {}, error);
  }
  const { type } = error.answer.end;
  const advice =
    type === OptionReplyType.ERR_TLS_REQD
      ? 'it insists on TLS: use nbds:// or nbds+unix://'
      : `give a URI with the name of an export that it has (it answered ${replyName(type)})`;
  return new HoldfastError('NBD_OPTION_REFUSED', `the server does not give this export; ${advice}`, {
    reply: replyName(type),
  });
}
