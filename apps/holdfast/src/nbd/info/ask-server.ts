import { NbdOptionError, type ExportInfo, type NbdNegotiation, type NbdUri } from '@holdfast/nbd-client';
import type { ReplyMode } from '@holdfast/nbd-protocol';
import { connectTo, negotiateWith, sayingWhatToDo } from '../connect-to.js';
import { abilitiesOf, type ExportFacts } from './export-facts.js';

/** What an export's server says in a handshake that ends there. */
export async function askAbout(uri: string, parsed: NbdUri): Promise<ExportFacts> {
  await using negotiation = await negotiateWith(parsed);
  return await describeExport(negotiation, uri, parsed);
}

/** Asks about one export on a handshake that goes on. A server without INFO tells in transmission only. */
export async function describeExport(
  negotiation: NbdNegotiation,
  uri: string,
  parsed: NbdUri,
): Promise<ExportFacts> {
  const { exportName } = parsed;
  const { replyMode, isSecure } = negotiation;
  const info = await infoIfKnown(negotiation, exportName);
  if (info === undefined) return enterAndLook(uri, parsed);
  const contexts = await contextsIfTold(negotiation, exportName);
  return factsOf({ uri, info, contexts, replyMode, isSecure });
}

/** Connects to an export as one who uses it does, which the server may refuse though it told about it. */
export async function enterAndLook(uri: string, parsed: NbdUri): Promise<ExportFacts> {
  await using connection = await connectTo(parsed);
  const { exportInfo: info, replyMode, isSecure } = connection;
  return factsOf({ uri, info, contexts: undefined, replyMode, isSecure });
}

/** @returns undefined from a server that knows no INFO, as some older ones */
async function infoIfKnown(negotiation: NbdNegotiation, exportName: string): Promise<ExportInfo | undefined> {
  try {
    return await sayingWhatToDo(exportName, () => negotiation.info(exportName));
  } catch (error) {
    if (error instanceof NbdOptionError && error.replyName === 'ERR_UNSUP') return undefined;
    throw error;
  }
}

async function contextsIfTold(
  negotiation: NbdNegotiation,
  exportName: string,
): Promise<readonly string[] | undefined> {
  try {
    return await negotiation.listMetaContexts(exportName);
  } catch (error) {
    if (error instanceof NbdOptionError) return undefined;
    throw error;
  }
}

function factsOf(known: {
  readonly uri: string;
  readonly info: ExportInfo;
  readonly contexts: readonly string[] | undefined;
  readonly replyMode: ReplyMode;
  readonly isSecure: boolean;
}): ExportFacts {
  return { ...known, abilities: abilitiesOf(known.info.transmissionFlags, known.replyMode) };
}
