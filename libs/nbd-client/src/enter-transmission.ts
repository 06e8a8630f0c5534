import type { ClientSettings } from './client-options.js';
import { BLOCK_SIZE_ASSUMED } from './handshake/export-info.js';
import type { HandedOver } from './handshake/handshake-channel.js';
import { NbdConnection, type ConnectionFacts } from './nbd-connection.js';
import { CommandIssuer } from './transmission/command-issuer.js';
import { Transmission } from './transmission/transmission.js';

/** Makes a connection of a stream whose handshake is over. */
export function enterTransmission(
  { stream, remainder }: HandedOver,
  facts: ConnectionFacts,
  settings: ClientSettings,
): NbdConnection {
  const { exportInfo, replyMode, metaContexts } = facts;
  const { inFlightMax, receive, strict } = settings;
  const transmission = new Transmission({ stream, remainder, replyMode, inFlightMax, receive });
  const transmissionFacts = {
    sizeBytes: exportInfo.sizeBytes,
    transmissionFlags: exportInfo.transmissionFlags,
    blockSize: exportInfo.blockSize ?? BLOCK_SIZE_ASSUMED,
    replyMode,
    metaContexts,
  };
  return new NbdConnection(facts, new CommandIssuer(transmissionFacts, strict, transmission), transmission);
}
