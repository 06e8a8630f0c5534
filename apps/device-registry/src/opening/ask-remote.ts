import { HoldfastError, MAX_SAFE_BYTES, byteCount } from '@holdfast/foundation';
import { connectUpstream, parseNbdUri, upstreamOffer } from '@holdfast/nbd-client';
import type { NbdBacking, OfferedRemote } from '@holdfast/store';

/**
 * Asks another NBD server what it offers of an export, and leaves: the worker connects by itself.
 *
 * @throws HoldfastError NBD_… as the connection fails; DEVICE_UNSUITABLE when it is too large
 */
export async function askRemote({ uri }: NbdBacking): Promise<OfferedRemote> {
  const connection = await connectUpstream(parseNbdUri(uri));
  // Nobody waits for its goodbye.
  void connection.disconnect();
  const { sizeBytes } = connection.exportInfo;
  if (sizeBytes > BigInt(MAX_SAFE_BYTES)) {
    throw new HoldfastError(
      'DEVICE_UNSUITABLE',
      `the export at ${uri} has ${sizeBytes} bytes: 2^53 or more`,
      {
        uri,
      },
    );
  }
  return { remote: upstreamOffer(connection), sizeBytes: byteCount(sizeBytes) };
}
