import { assert, counted, HoldfastError, leaseEpoch, messageOf } from '@holdfast/foundation';
import { identifyDevice, sendHandoff, type OwnedFd } from '@holdfast/linux';
import { toIdentityMessage, type workerV1 } from '@holdfast/contracts';
import type { PinLedger } from '@holdfast/pin-ledger';
import type { HandoffInbox, Logger } from '@holdfast/service';
import { directAccessTo } from '../direct/direct-access.js';
import { RemoteDevice } from '../remote/remote-device.js';
import { sameIdentity } from './same-identity.js';
import type { DescriptorHolding, Holding } from './holding.js';

/** A descriptor is sent before the call that adopts it, so it is here already or will be at once. */
const ARRIVAL_MS = 2_000;

/** The devices that this worker holds. Sessions borrow their descriptors; a borrowed one is never closed. */
export class HoldingService {
  readonly #inbox: HandoffInbox;
  readonly #registryHandoff: string;
  readonly #ledger: PinLedger;
  readonly #logger: Logger;
  readonly #holdings = new Map<string, Holding>();
  readonly #users = new Map<string, number>();
  /** Adoptions of remote exports that wait for their server: ended by whoever gives the attachment up. */
  readonly #connecting = new Map<string, AbortController>();

  constructor(inbox: HandoffInbox, registryHandoff: string, ledger: PinLedger, logger: Logger) {
    this.#inbox = inbox;
    this.#registryHandoff = registryHandoff;
    this.#ledger = ledger;
    this.#logger = logger;
  }

  list(): Holding[] {
    return [...this.#holdings.values()];
  }

  find(attachment: string): Holding | undefined {
    return this.#holdings.get(attachment);
  }

  /** Takes over a descriptor that has arrived, if it is the device that the registry recorded (law 3). */
  async adopt(
    token: Uint8Array,
    expected: workerV1.Holding,
    arrivalMs = ARRIVAL_MS,
  ): Promise<DescriptorHolding> {
    const { fd } = await this.#inbox.claim(token, arrivalMs);
    // Looked for now, not before: another call for the same attachment may have waited as well.
    const existing = this.#holdings.get(expected.attachment);
    if (existing !== undefined) {
      // The registry repeats a call whose answer it lost; the first descriptor stays.
      fd.close();
      assert(existing.kind === 'descriptor', 'an attachment is of one kind');
      return existing;
    }
    let holding: DescriptorHolding;
    try {
      holding = identified(fd, expected);
    } catch (error) {
      fd.close();
      throw error;
    }
    return this.#hold(holding);
  }

  /**
   * Takes over an export of another NBD server, if it is what the registry recorded, as far as that can be told.
   *
   * @param resumed it was before, and is held although the server may be away: each session compares anyway
   * @throws HoldfastError as {@link RemoteDevice.connect}
   */
  async adoptRemote(
    expected: workerV1.Holding,
    description: workerV1.Remote,
    resumed: boolean,
  ): Promise<Holding> {
    const { attachment, epoch, sizeBytes, readOnly } = expected;
    const remote = new RemoteDevice(description, sizeBytes);
    if (!resumed) await this.#compare(attachment, remote);
    const existing = this.#holdings.get(attachment);
    if (existing !== undefined) return existing;
    return this.#hold({
      kind: 'remote',
      attachment,
      epoch: leaseEpoch(epoch),
      sizeBytes: remote.sizeBytes,
      readOnly: readOnly || remote.readOnly,
      remote,
    });
  }

  /** No registry adopts any more what has arrived so far, nor what is still being connected to. */
  voidUnclaimed(): void {
    for (const adoption of this.#connecting.values()) adoption.abort();
    this.#inbox.dropUnclaimed();
  }

  /** Closes a device that no session uses, and no request (law 1). */
  release(attachment: string): void {
    this.#connecting.get(attachment)?.abort();
    const holding = this.#holdings.get(attachment);
    if (holding === undefined) return;
    const users = this.#users.get(attachment) ?? 0;
    const pins = this.#ledger.outstandingSegments(({ device }) => device === attachment);
    if (users > 0 || pins > 0) {
      const who =
        users > 0
          ? `${attachment} is in use by ${counted(users, 'session')}, with ${counted(pins, 'pin')}`
          : `${attachment} has ${counted(pins, 'pin')} of sessions that are over, never released`;
      throw new HoldfastError('DEVICE_IN_USE', who, { attachment, pins: String(pins) });
    }
    this.#holdings.delete(attachment);
    if (holding.kind === 'descriptor') holding.fd.close();
    this.#logger.info({ attachment }, 'let go of a device');
  }

  /** Gives a restarted registry its hold back. */
  async giveBack(attachment: string, token: Uint8Array): Promise<Holding> {
    const holding = this.#holdings.get(attachment);
    if (holding?.kind !== 'descriptor') {
      const what = holding === undefined ? 'does not hold' : 'has no descriptor of';
      throw new HoldfastError('DEVICE_NOT_ATTACHED', `this worker ${what} ${attachment}`, { attachment });
    }
    await sendHandoff(this.#registryHandoff, token, new Uint8Array(), holding.fd.number);
    return holding;
  }

  /** Borrows a holding for a session; the function returned ends the loan. */
  borrow(holding: Holding): () => void {
    this.#count(holding.attachment, 1);
    return () => {
      this.#count(holding.attachment, -1);
    };
  }

  /** At the end of the process, when no session is left. What is still pinned goes with the process. */
  closeAll(): void {
    for (const { attachment } of this.list()) {
      try {
        this.release(attachment);
      } catch (error) {
        this.#logger.error({ attachment }, messageOf(error));
      }
    }
  }

  async #compare(attachment: string, remote: RemoteDevice): Promise<void> {
    this.#connecting.get(attachment)?.abort();
    const adoption = new AbortController();
    this.#connecting.set(attachment, adoption);
    try {
      const connection = await remote.connect(adoption.signal);
      // Nobody waits for its goodbye.
      void connection.disconnect();
      adoption.signal.throwIfAborted();
    } finally {
      if (this.#connecting.get(attachment) === adoption) this.#connecting.delete(attachment);
    }
  }

  #hold<Held extends Holding>(holding: Held): Held {
    const { attachment, epoch, kind } = holding;
    this.#holdings.set(attachment, holding);
    this.#logger.info({ attachment, epoch: epoch.toString(), kind }, 'holds a device');
    return holding;
  }

  #count(attachment: string, change: 1 | -1): void {
    this.#users.set(attachment, (this.#users.get(attachment) ?? 0) + change);
    if (this.#users.get(attachment) === 0) this.#users.delete(attachment);
  }
}

/** Law 3: the holding, if its descriptor is the device that the registry recorded. */
function identified(fd: OwnedFd, expected: workerV1.Holding): DescriptorHolding {
  const identity = identifyDevice(fd.number);
  const recorded = expected.device?.$case === 'identity' ? expected.device.value : undefined;
  if (!sameIdentity(identity, recorded)) {
    throw new HoldfastError(
      'DEVICE_IDENTITY_MISMATCH',
      `the descriptor received for ${expected.attachment} is ${JSON.stringify(toIdentityMessage(identity), bigintText)}, not the device that was recorded`,
      { attachment: expected.attachment },
    );
  }
  const { attachment, epoch, readOnly } = expected;
  const { sizeBytes } = identity;
  const direct = directAccessTo(fd.number);
  return {
    kind: 'descriptor',
    attachment,
    epoch: leaseEpoch(epoch),
    sizeBytes,
    identity,
    fd,
    direct,
    readOnly,
  };
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
