import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * The steps between which a crash is tried by a test, each with what has just happened when it is reached: law 2 holds
 * at every one of them. `docs/reference/crashes.md` tells what becomes of each.
 */
export const faultPoints = {
  'attach.intended': 'the registry has recorded that it attaches; nothing is open',
  'attach.opened': 'the registry has opened the device, or made the loop device',
  'attach.identified': 'the registry has recorded who the device is',
  'attach.held': 'the registry has locked the device and holds it',
  'attach.confirmed': 'the worker has confirmed that it holds the device; that is not recorded',
  'attach.connected': 'the registry has recorded that it is attached; the caller has no answer',
  'handover.sent': 'the registry has sent the descriptor to the worker',
  'handover.adopted': 'the worker has compared the descriptor and keeps it; the registry has no answer',
  'return.sent': 'the worker has sent the descriptor back to a registry that was restarted',
  'return.held': 'the registry has compared the descriptor and holds it again',
  'lease.granted': 'the registry has recorded a lease; the gateway has no answer',
  'lease.received': 'the gateway has the lease; the worker knows nothing of it',
  'lease.prepared': 'the worker has made a place for the session; the gateway has no answer',
  'lease.answered': 'the gateway has answered the client; its socket is still here',
  'lease.passed': 'the gateway has sent the socket to the worker',
  'lease.served': 'the worker has the socket and serves',
  'release.over': 'the worker has ended the session; nobody was told',
  'release.heard': 'the registry was told; the lease is still recorded',
  'release.recorded': 'the registry has recorded that the lease is released',
  'detach.draining': 'the registry has recorded that it drains; a session lives',
  'detach.fenced': 'the registry has recorded that the session is cut off; the worker knows nothing of it',
  'detach.cut': 'the worker has ended the session, by force; the registry has no answer',
  'detach.intended': 'the registry has recorded that it detaches',
  'detach.closed': 'the worker has closed the device; the registry has no answer',
  'detach.confirmed': 'the registry has the answer, and still holds the device',
  'detach.let-go': 'the registry has closed the device; that is not recorded',
  'detach.released': 'the registry has recorded that it is released; the caller has no answer',
  'allocator.intended': 'the allocator-verifier has recorded that it creates an allocator',
  'allocator.reserved': 'the registry has reserved the device; the allocator is not recorded as active',
  'allocator.active': 'the allocator is recorded as active; the caller has no answer',
  'allocator.draining': 'it is recorded that the allocator drains',
  'allocator.sealed': 'it is recorded that the allocator is destroyed; its device is reserved',
  'allocator.released': 'the registry has released the device; the allocator is still recorded',
  'program.verified': 'the allocator-verifier has verified a program; nothing of it is recorded',
  'program.loaded': 'the program and its rows are recorded; the caller has no answer',
  'program.ran': 'a run has ended; nothing of it is recorded',
  'program.recorded': 'what the run did is recorded; the caller has no answer',
  'program.walked': 'what the program leaves was looked at; nothing of that is recorded',
  'program.unloaded': 'it is recorded that the program is unloaded; the caller has no answer',
  'map.emptying': 'some of what a map holds is freed, and that is recorded; the rest is not',
  'map.walked': 'what a map leaves was looked at; its last values are not freed',
  'map.freed': 'it is recorded that the map is freed, with its last values; the caller has no answer',
  'fence.intended': 'a new epoch of a map is recorded; its sessions go on under the one before',
  'fence.held': 'the sessions of a map wait, and none has a request under way; nothing is changed',
  'fence.changed': 'what a map holds has changed; its sessions wait',
  'upgrade.rested': 'every session rests in the old worker; the new one knows nothing of them',
  'upgrade.passed': 'the old worker has sent every descriptor to the new one',
  'upgrade.received': 'the new worker has everything, and must not use it yet',
  'upgrade.committed': 'the old worker has decided that it never serves again; the new one has no answer',
  'upgrade.served': 'the new worker serves; the old one still listens',
  'upgrade.moved': 'the new worker listens where the old one did; the old one waits to end',
} as const;

export type FaultPoint = keyof typeof faultPoints;

/** What a fault point's file is called while somebody waits there. */
export const REACHED_SUFFIX = '.reached';

const POLL_MS = 5;

let armed = '';

/** From now on this process stops at the fault points that have a file in the folder; '': at none, as ever. */
export function armFaultPoints(folder: string): void {
  armed = folder;
}

/**
 * Marks a step. In a test that has put a file of the point's name into the folder, the first to come by renames it to
 * `….reached` and waits until that is gone: time to kill somebody.
 */
export async function reached(point: FaultPoint): Promise<void> {
  if (armed === '') return;
  const file = path.join(armed, point);
  if (!existsSync(file)) return;
  renameSync(file, `${file}${REACHED_SUFFIX}`);
  while (existsSync(`${file}${REACHED_SUFFIX}`)) await delay(POLL_MS);
}
