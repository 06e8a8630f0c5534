import { chmodSync, constants, lstatSync, renameSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/foundation';
import { checked, Errno, SystemCallError } from '../errno.js';
import { openFile } from '../open-file.js';
import { OwnedFd } from '../owned-fd.js';
import { tryLock } from '../state-lock.js';
import { LISTEN_BACKLOG } from './limits.js';
import { bindTo, connectTo, openSeqpacket, startListening } from './unix-socket.js';

const LOCK_ATTEMPTS_MAX = 100;
const LOCK_DELAY_MS = 10;

/** A listening socket and the file that is its address. */
export interface ListeningSocket {
  readonly fd: OwnedFd;
  /** Removes the file, unless another has taken its place. */
  removeFile(): void;
  /** Gives the file another name, in the place of whatever socket has it. @throws Error of rename(2) */
  moveFile(to: string): void;
}

function inUse(socketPath: string, why: string): HoldfastError {
  return new HoldfastError('PORT_IN_USE', `${JSON.stringify(socketPath)} is in use: ${why}`, {
    path: socketPath,
  });
}

function fileAt(socketPath: string) {
  return lstatSync(socketPath, { bigint: true, throwIfNoEntry: false });
}

/**
 * Two starters could both find a stale file, and the slower one would remove what the faster one has just bound: so
 * look, removal and bind happen under a lock on the folder.
 */
async function lockFolder(socketPath: string): Promise<OwnedFd> {
  const folder = path.dirname(socketPath);
  const fd = new OwnedFd(
    checked('open', openFile(folder, constants.O_RDONLY | constants.O_DIRECTORY), folder),
  );
  try {
    for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt += 1) {
      if (tryLock(fd.number)) return fd;
      await delay(LOCK_DELAY_MS);
    }
    throw inUse(socketPath, 'another process holds the lock on its folder');
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** Removes what a dead listener left behind (unix(7)): a socket file that refuses connections, and nothing else. */
function removeStale(socketPath: string): void {
  const file = fileAt(socketPath);
  if (file === undefined) return;
  // A connection to a plain file is refused like one to a dead socket.
  if (!file.isSocket()) throw inUse(socketPath, 'it is not a socket');
  using probe = openSeqpacket();
  const result = connectTo(probe.number, socketPath);
  switch (-result) {
    case Errno.ECONNREFUSED:
      unlinkSync(socketPath);
      return;
    case Errno.ENOENT:
      return;
    case 0:
    case Errno.EAGAIN:
    case Errno.EPROTOTYPE:
      throw inUse(socketPath, 'a live process listens on it');
    default:
      throw new SystemCallError('connect', -result, socketPath);
  }
}

function bindAndListen(socketPath: string): ListeningSocket {
  const fd = openSeqpacket();
  try {
    checked('bind', bindTo(fd.number, socketPath), socketPath);
    const bound = fileAt(socketPath);
    let place = socketPath;
    const removeFile = (): void => {
      const now = fileAt(place);
      if (now !== undefined && now.ino === bound?.ino && now.dev === bound.dev) unlinkSync(place);
    };
    const moveFile = (to: string): void => {
      renameSync(place, to);
      place = to;
    };
    try {
      // Before listen(2) nobody can connect, so there is no moment in which the mode is wider.
      chmodSync(socketPath, 0o600);
      checked('listen', startListening(fd.number, LISTEN_BACKLOG), socketPath);
    } catch (error) {
      removeFile();
      throw error;
    }
    return { fd, removeFile, moveFile };
  } catch (error) {
    fd.close();
    throw error;
  }
}

/**
 * Listens at `socketPath`, mode 0600. A file of that name is taken over only if it is a socket that refuses
 * connections.
 *
 * @throws HoldfastError PORT_IN_USE when somebody listens there, or it is something else than a socket
 * @throws SystemCallError ENAMETOOLONG beyond 107 bytes, and what open, connect, bind and listen report
 */
export async function listenAt(socketPath: string): Promise<ListeningSocket> {
  const lock = await lockFolder(socketPath);
  try {
    removeStale(socketPath);
    return bindAndListen(socketPath);
  } finally {
    lock.close();
  }
}
