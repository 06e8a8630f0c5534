import { durationMs, registryV1, toDuration } from '@holdfast/contracts';
import { messageOf } from '@holdfast/foundation';
import { parseNbdUri, requireAbsolutePaths } from '@holdfast/nbd-client';
import type { NbdBacking } from '@holdfast/store';
import { invalid } from './invalid.js';

const { NbdBacking_OnDisconnect: OnDisconnect } = registryV1;

/** An export name of the longest kind with every byte as %XX, and as much again for a socket and the files of TLS. */
const URI_BYTES_MAX = 16_384;

/** A server is restarted within it, and machines are; a client whose own patience is a minute or two still hears of it. */
const RECONNECT_MS_DEFAULT = 60_000;

/** Who waits longer for an answer has gone. */
const RECONNECT_MS_MAX = 60 * 60 * 1000;

const modes = {
  replay: OnDisconnect.ON_DISCONNECT_REPLAY,
  fail: OnDisconnect.ON_DISCONNECT_FAIL,
} as const satisfies Record<NbdBacking['onDisconnect'], registryV1.NbdBacking_OnDisconnect>;

export function toNbdMessage({ uri, onDisconnect, reconnectMs }: NbdBacking): registryV1.NbdBacking {
  return { uri, onDisconnect: modes[onDisconnect], reconnectTimeout: toDuration(reconnectMs) };
}

/** @throws HoldfastError INVALID_ARGUMENT naming the field */
export function parseNbd({ uri, onDisconnect, reconnectTimeout }: registryV1.NbdBacking): NbdBacking {
  return {
    kind: 'nbd',
    uri: checkUri(uri),
    onDisconnect: parseOnDisconnect(onDisconnect),
    reconnectMs:
      reconnectTimeout === undefined
        ? RECONNECT_MS_DEFAULT
        : durationMs('device.nbd.reconnect_timeout', reconnectTimeout, RECONNECT_MS_MAX),
  };
}

function checkUri(uri: string): string {
  if (Buffer.byteLength(uri) > URI_BYTES_MAX)
    throw invalid('device.nbd.uri', `must be at most ${String(URI_BYTES_MAX)} bytes`);
  try {
    requireAbsolutePaths(parseNbdUri(uri));
  } catch (error) {
    throw invalid('device.nbd.uri', `is ${messageOf(error)}`);
  }
  return uri;
}

function parseOnDisconnect(mode: registryV1.NbdBacking_OnDisconnect): NbdBacking['onDisconnect'] {
  switch (mode) {
    case OnDisconnect.ON_DISCONNECT_UNSPECIFIED:
    case OnDisconnect.ON_DISCONNECT_REPLAY:
      return 'replay';
    case OnDisconnect.ON_DISCONNECT_FAIL:
      return 'fail';
    case OnDisconnect.UNRECOGNIZED:
    default:
      throw invalid('device.nbd.on_disconnect', 'is unknown to this registry');
  }
}
