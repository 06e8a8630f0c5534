import { HoldfastError, leaseEpoch } from '@holdfast/foundation';
import { identifyDevice, sendHandoff, type OwnedFd } from '@holdfast/linux';
import { toIdentityMessage, type workerV1 } from '@holdfast/contracts';
import type { HandoffInbox, Logger } from '@holdfast/service';
import { sameIdentity } from './same-identity.js';
import type { Holding } from './holding.js';

/** A descriptor is sent before the call that adopts it, so it is here already or will be at once. */
const ARRIVAL_MS = 2_000;

/** The devices that this worker holds. Sessions borrow their descriptors; a borrowed one is never closed. */
export class HoldingService {
  readonly #inbox: HandoffInbox;
  readonly #registryHandoff: string;
  readonly #logger: Logger;
  readonly #holdings = new Map<string, Holding>();
  readonly #users = new Map<string, number>();

  constructor(inbox: HandoffInbox, registryHandoff: string, logger: Logger) {
    this.#inbox = inbox;
    this.#registryHandoff = registryHandoff;
    this.#logger = logger;
  }

  list(): Holding[] {
    return [...this.#holdings.values()];
  }

  find(attachment: string): Holding | undefined {
    return this.#holdings.get(attachment);
  }

  /** Takes over a descriptor that has arrived, if it is the device that the registry recorded (law 3). */
  async adopt(token: Uint8Array, expected: workerV1.Holding): Promise<Holding> {
    const { fd } = await this.#inbox.claim(token, ARRIVAL_MS);
    // Looked for now, not before: another call for the same attachment may have waited as well.
    const existing = this.#holdings.get(expected.attachment);
    if (existing !== undefined) {
      // The registry repeats a call whose answer it lost; the first descriptor stays.
      fd.close();
      return existing;
    }
    let holding: Holding;
    try {
      holding = identified(fd, expected);
    } catch (error) {
      fd.close();
      throw error;
    }
    this.#holdings.set(holding.attachment, holding);
    this.#logger.info({ attachment: holding.attachment, epoch: holding.epoch.toString() }, 'holds a device');
    return holding;
  }

  /** No registry adopts any more what has arrived so far. */
  voidUnclaimed(): void {
    this.#inbox.dropUnclaimed();
  }

  /** Closes a device that no session uses. */
  release(attachment: string): void {
    const holding = this.#holdings.get(attachment);
    if (holding === undefined) return;
    const users = this.#users.get(attachment) ?? 0;
    if (users > 0) {
      throw new HoldfastError('DEVICE_IN_USE', `${String(users)} sessions still use ${attachment}`, {
        attachment,
      });
    }
    this.#holdings.delete(attachment);
    holding.fd.close();
    this.#logger.info({ attachment }, 'let go of a device');
  }

  /** Gives a restarted registry its hold back. */
  async giveBack(attachment: string, token: Uint8Array): Promise<Holding> {
    const holding = this.#holdings.get(attachment);
    if (holding === undefined) {
      throw new HoldfastError('DEVICE_NOT_ATTACHED', `this worker does not hold ${attachment}`, {
        attachment,
      });
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

  /** At the end of the process, when no session is left. */
  closeAll(): void {
    for (const { attachment } of this.list()) this.release(attachment);
  }

  #count(attachment: string, change: 1 | -1): void {
    this.#users.set(attachment, (this.#users.get(attachment) ?? 0) + change);
    if (this.#users.get(attachment) === 0) this.#users.delete(attachment);
  }
}

/** Law 3: the holding, if its descriptor is the device that the registry recorded. */
function identified(fd: OwnedFd, expected: workerV1.Holding): Holding {
  const identity = identifyDevice(fd.number);
  if (!sameIdentity(identity, expected.identity)) {
    throw new HoldfastError(
      'DEVICE_IDENTITY_MISMATCH',
      `the descriptor received for ${expected.attachment} is ${JSON.stringify(toIdentityMessage(identity), bigintText)}, not the device that was recorded`,
      { attachment: expected.attachment },
    );
  }
  const { attachment, epoch, readOnly } = expected;
  return { attachment, epoch: leaseEpoch(epoch), identity, fd, readOnly };
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
