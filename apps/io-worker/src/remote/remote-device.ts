import { durationMs, fromRemoteMessage, registryV1, type workerV1 } from '@holdfast/contracts';
import { byteCount, HoldfastError, type ByteCount } from '@holdfast/foundation';
import {
  connectUpstream,
  describeAddress,
  offerFault,
  parseNbdUri,
  upstreamOffer,
  type NbdConnection,
  type NbdUri,
} from '@holdfast/nbd-client';
import { TransmissionFlag, type UpstreamOffer } from '@holdfast/nbd-protocol';
import type { Logger } from '@holdfast/service';
import { ConnectingSlots } from './connecting-slots.js';
import { RemoteDeviceIo } from './remote-device-io.js';
import { UpstreamLink, type LinkPolicy } from './upstream-link.js';
import { WriteLedger } from './write-ledger.js';

/** What one session has of a remote device. */
export interface OpenedRemote {
  readonly link: UpstreamLink;
  readonly io: RemoteDeviceIo;
}

/** An export of another NBD server: where it is, and what every connection to it must offer. */
export class RemoteDevice {
  readonly sizeBytes: ByteCount;
  readonly offer: UpstreamOffer;
  /** As the registry gave it, to be told so. */
  readonly message: workerV1.Remote;
  readonly #uri: NbdUri;
  readonly #policy: LinkPolicy;
  readonly #slots = new ConnectingSlots();
  /** Where a FLUSH on one connection speaks for all; else each has its own. */
  readonly #sharedLedger: WriteLedger | undefined;

  /** @throws HoldfastError NBD_URI_INVALID, INVALID_ARGUMENT */
  constructor({ backing, offer }: workerV1.Remote, sizeBytes: bigint) {
    if (backing === undefined || offer === undefined) {
      throw new HoldfastError('INVALID_ARGUMENT', 'holding.remote must have backing and offer', {
        field: 'holding.remote',
      });
    }
    this.sizeBytes = byteCount(sizeBytes);
    this.message = { backing, offer };
    this.offer = fromRemoteMessage(offer);
    this.#uri = parseNbdUri(backing.uri);
    this.#policy = policyOf(backing);
    const isShared = (this.offer.transmissionFlags & TransmissionFlag.CAN_MULTI_CONN) !== 0;
    this.#sharedLedger = isShared ? new WriteLedger() : undefined;
  }

  get readOnly(): boolean {
    return (this.offer.transmissionFlags & TransmissionFlag.READ_ONLY) !== 0;
  }

  /**
   * Connects, and compares what is offered with what was when the device was attached. No more can be compared (D6).
   *
   * @throws HoldfastError NBD_… as the connection fails; DEVICE_IDENTITY_MISMATCH when it is another export
   */
  async connect(signal?: AbortSignal): Promise<NbdConnection> {
    const connection = await connectUpstream(this.#uri, signal);
    const fault = offerFault(
      { sizeBytes: BigInt(this.sizeBytes), offer: this.offer },
      { sizeBytes: connection.exportInfo.sizeBytes, offer: upstreamOffer(connection) },
    );
    if (fault === undefined) return connection;
    connection.destroy();
    const address = describeAddress(this.#uri.address);
    throw new HoldfastError(
      'DEVICE_IDENTITY_MISMATCH',
      `the export "${this.#uri.exportName}" of the NBD server at ${address} ${fault}: detach and attach the device if it is meant`,
      { address },
    );
  }

  /** Connects for one session. @throws HoldfastError as {@link connect}; LIMIT_REACHED while too many do */
  async open(signal: AbortSignal, logger: Logger): Promise<OpenedRemote> {
    const ledger = this.#sharedLedger ?? new WriteLedger();
    const parts = {
      connect: (attempt: AbortSignal) => this.connect(attempt),
      policy: this.#policy,
      onLost: () => {
        ledger.connectionLost();
      },
      logger,
    };
    const link = await this.#slots.within(() => UpstreamLink.open(parts, signal));
    return { link, io: new RemoteDeviceIo(link, ledger) };
  }
}

/** The registry has filled in what its caller left out. */
function policyOf({ onDisconnect, reconnectTimeout }: registryV1.NbdBacking): LinkPolicy {
  const { ON_DISCONNECT_FAIL } = registryV1.NbdBacking_OnDisconnect;
  return {
    onDisconnect: onDisconnect === ON_DISCONNECT_FAIL ? 'fail' : 'replay',
    reconnectMs: durationMs('reconnect_timeout', reconnectTimeout, Number.MAX_SAFE_INTEGER),
  };
}
