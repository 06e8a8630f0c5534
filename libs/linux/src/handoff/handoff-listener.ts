import { isMainThread } from 'node:worker_threads';
import { assert } from '@holdfast/foundation';
import { Errno, errnoName } from '../errno.js';
import { OwnedFd } from '../owned-fd.js';
import { watchReadable, type StopWatching } from '../readiness.js';
import { peerCredentials, type PeerCredentials } from '../socket-options.js';
import { SILENT_PEER_TIMEOUT_MS, SILENT_PEERS_MAX } from './limits.js';
import { HandoffReader, type HandoffOrRefusal } from './receive-handoff.js';
import { listenAt, type ListeningSocket } from './socket-path.js';
import { acceptPeer } from './unix-socket.js';

/** A descriptor that another process passed to us. All of it belongs to the receiver. */
export interface Handoff {
  /** HANDOFF_TOKEN_BYTES bytes. */
  readonly token: Buffer;
  readonly payload: Buffer;
  /** Close-on-exec; the receiver closes it. */
  readonly fd: OwnedFd;
  readonly peer: PeerCredentials;
}

export interface HandoffListenerOptions {
  /** Peers of this user id, or of root, are accepted. */
  readonly allowedUid: number;
  readonly onHandoff: (handoff: Handoff) => void;
  /** Somebody was turned away. `reason` is for a log; without a `peer` it was accepting itself that failed. */
  readonly onRefused: (reason: string, peer?: PeerCredentials) => void;
}

/** A peer that has connected and not yet sent. */
interface SilentPeer {
  readonly fd: OwnedFd;
  readonly credentials: PeerCredentials;
  readonly stopWatching: StopWatching;
  readonly timeout: NodeJS.Timeout;
}

/** Connections accepted before the event loop gets its turn again. */
const ACCEPTS_PER_TURN = 64;

/** Pause after accept4 failed for want of descriptors or memory: the queue stays readable, and would be retried at once. */
const ACCEPT_PAUSE_MS = 100;

/**
 * Receives descriptors at a Unix socket (SOCK_SEQPACKET): per connection one message, a token with a payload, and
 * exactly one descriptor. All waiting is the event loop's own; nothing blocks, and no thread is needed.
 */
export class HandoffListener {
  #path: string;
  readonly #socket: ListeningSocket;
  readonly #options: HandoffListenerOptions;
  readonly #reader = new HandoffReader();
  /** In the order of their coming. */
  readonly #silent = new Set<SilentPeer>();
  #stopAccepting: StopWatching;

  private constructor(path: string, socket: ListeningSocket, options: HandoffListenerOptions) {
    this.#path = path;
    this.#socket = socket;
    this.#options = options;
    this.#stopAccepting = this.#watchQueue();
  }

  /**
   * Listens at `path` with mode 0600. A stale socket file is taken over after a connection to it was refused.
   *
   * @param path at most 107 bytes (unix(7))
   * @throws HoldfastError PORT_IN_USE when somebody listens there, or it is no socket
   * @throws SystemCallError ENAMETOOLONG, EACCES and the like
   */
  static async listen(path: string, options: HandoffListenerOptions): Promise<HandoffListener> {
    // A terminated thread that alone used koffi would unload it under its own watch, which crashes the process.
    assert(isMainThread, 'a handoff listener belongs to the main thread');
    return new HandoffListener(path, await listenAt(path), options);
  }

  /** Where it listens. */
  get path(): string {
    return this.#path;
  }

  /**
   * Listens at another path of the same file system from now on. Whoever listens there is not connected to any more; there
   * is no moment in which nobody is.
   *
   * @throws Error of rename(2)
   */
  moveTo(path: string): void {
    this.#socket.moveFile(path);
    this.#path = path;
  }

  /** Stops listening, turns silent peers away and removes the socket file. Connections not yet accepted are lost. */
  close(): Promise<void> {
    if (!this.#socket.fd.closed) {
      this.#stopAccepting();
      // While it still listens nobody takes the path over, so what is removed is ours.
      this.#socket.removeFile();
      this.#socket.fd.close();
      for (const peer of this.#silent) this.#forget(peer);
    }
    return Promise.resolve();
  }

  #watchQueue(): StopWatching {
    return watchReadable(this.#socket.fd.number, () => {
      this.#acceptWaiting();
    });
  }

  #acceptWaiting(): void {
    for (let count = 0; count < ACCEPTS_PER_TURN && !this.#socket.fd.closed; count += 1) {
      const accepted = acceptPeer(this.#socket.fd.number);
      if (accepted === -Errno.EAGAIN) return;
      if (accepted >= 0) this.#welcome(new OwnedFd(accepted));
      else if (accepted !== -Errno.ECONNABORTED) {
        this.#pauseAccepting();
        this.#options.onRefused(`accept4 failed: ${errnoName(-accepted)}`);
        return;
      }
    }
  }

  #pauseAccepting(): void {
    this.#stopAccepting();
    const pause = setTimeout(() => {
      this.#stopAccepting = this.#watchQueue();
    }, ACCEPT_PAUSE_MS);
    this.#stopAccepting = () => {
      clearTimeout(pause);
    };
  }

  #welcome(fd: OwnedFd): void {
    const credentials = peerCredentials(fd.number);
    if (credentials.uid !== 0 && credentials.uid !== this.#options.allowedUid) {
      fd.close();
      this.#options.onRefused(`user ${credentials.uid} is not allowed`, credentials);
      return;
    }
    const received = this.#reader.receive(fd.number);
    if (received.kind === 'nothing-yet') {
      this.#waitFor(fd, credentials);
      return;
    }
    fd.close();
    this.#deliver(received, credentials);
  }

  #waitFor(fd: OwnedFd, credentials: PeerCredentials): void {
    const [oldest] = this.#silent;
    const peer: SilentPeer = {
      fd,
      credentials,
      stopWatching: watchReadable(fd.number, () => {
        this.#hear(peer);
      }),
      timeout: setTimeout(() => {
        this.#turnAway(peer, `silent for ${SILENT_PEER_TIMEOUT_MS} ms`);
      }, SILENT_PEER_TIMEOUT_MS),
    };
    this.#silent.add(peer);
    // Who has been silent longest makes room: an honest peer is silent for microseconds.
    if (oldest !== undefined && this.#silent.size > SILENT_PEERS_MAX) {
      this.#turnAway(oldest, `silent while ${SILENT_PEERS_MAX} others came`);
    }
  }

  #hear(peer: SilentPeer): void {
    const received = this.#reader.receive(peer.fd.number);
    if (received.kind === 'nothing-yet') return;
    this.#forget(peer);
    this.#deliver(received, peer.credentials);
  }

  #turnAway(peer: SilentPeer, reason: string): void {
    this.#forget(peer);
    this.#options.onRefused(reason, peer.credentials);
  }

  #forget(peer: SilentPeer): void {
    this.#silent.delete(peer);
    clearTimeout(peer.timeout);
    peer.stopWatching();
    peer.fd.close();
  }

  #deliver(received: HandoffOrRefusal, peer: PeerCredentials): void {
    if (received.kind === 'refused') this.#options.onRefused(received.reason, peer);
    else this.#options.onHandoff({ token: received.token, payload: received.payload, fd: received.fd, peer });
  }
}
