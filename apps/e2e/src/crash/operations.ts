import { HoldfastError } from '@holdfast/foundation';
import type { FaultPoint } from '@holdfast/service/fault-points';
import type { NbdSession } from '../support/nbd-session.js';
import type { CrashInstance } from './instance.js';

/** An operation under way. */
export interface Begun {
  /** What its caller is told in the end, in a word or two. */
  readonly told: Promise<string>;
}

/** Nobody asked for it, so nobody is told. */
const NOBODY: Begun = { told: Promise.resolve('–') };

/** Something that is done to a device while somebody is killed. */
export interface Operation {
  readonly name: string;
  /** What it is for, in the words of the page. */
  readonly tells: string;
  readonly points: readonly FaultPoint[];
  /** Whether the device is attached when it begins. */
  readonly attached: boolean;
  readonly begin: (instance: CrashInstance, killed: Promise<void>) => Begun | Promise<Begun>;
  /** How the device is when its caller is told that it was done. */
  readonly ends: 'attached' | 'detached';
}

export const operations: readonly Operation[] = [
  {
    name: 'attach',
    tells: '`AttachDevice` of a device that is detached',
    points: [
      'attach.intended',
      'attach.opened',
      'attach.identified',
      'attach.held',
      'handover.sent',
      'handover.adopted',
      'attach.confirmed',
      'attach.connected',
    ],
    attached: false,
    begin: (instance) => ({ told: answerOf(instance.attach()) }),
    ends: 'attached',
  },
  {
    name: 'adopt by the worker',
    tells: 'the worker was killed, and the registry hands it the device again',
    points: ['handover.sent', 'handover.adopted'],
    attached: true,
    begin: ({ holdfast }) => {
      holdfast.kill('io-worker');
      return NOBODY;
    },
    ends: 'attached',
  },
  {
    name: 'adopt by the registry',
    tells: 'the registry was killed, and the worker hands it the device back',
    points: ['return.sent', 'return.held'],
    attached: true,
    begin: ({ holdfast }) => {
      holdfast.kill('device-registry');
      return NOBODY;
    },
    ends: 'attached',
  },
  {
    name: 'lease',
    tells: 'a client connects',
    points: [
      'lease.granted',
      'lease.received',
      'lease.prepared',
      'lease.answered',
      'lease.passed',
      'lease.served',
    ],
    attached: true,
    begin: (instance, killed) => ({ told: clientOutcome(instance.connect(), killed) }),
    ends: 'attached',
  },
  {
    name: 'release',
    tells: 'a client hangs up',
    points: ['release.over', 'release.heard', 'release.recorded'],
    attached: true,
    begin: async (instance) => {
      const session = await instance.connectWhenServed();
      session.hangUp();
      return NOBODY;
    },
    ends: 'attached',
  },
  {
    name: 'detach',
    tells: '`DetachDevice` of a device that nobody uses',
    points: ['detach.intended', 'detach.closed', 'detach.confirmed', 'detach.let-go', 'detach.released'],
    attached: true,
    begin: (instance) => ({ told: answerOf(instance.detach()) }),
    ends: 'detached',
  },
  {
    name: 'detach by force',
    tells: '`DetachDevice` with `force` while a client writes',
    points: ['detach.draining', 'detach.fenced', 'detach.cut'],
    attached: true,
    begin: async (instance) => {
      const session = await instance.connectWhenServed();
      const { error } = await session.write(0, Buffer.from('before the crash'));
      if (error !== 0) throw new Error('the device cannot be written to');
      return {
        told: answerOf(instance.detach({ force: true })).finally(() => {
          session.hangUp();
        }),
      };
    },
    ends: 'detached',
  },
];

/** Of errors that say to repeat the call, which one it is depends on how soon the killed service is back. */
async function answerOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (!(error instanceof HoldfastError)) return String(error);
    return error.status === 'UNAVAILABLE' ? error.status : error.code;
  }
}

/** Served means that it can read when all is over. */
async function clientOutcome(connecting: Promise<NbdSession>, killed: Promise<void>): Promise<string> {
  try {
    const session = await connecting;
    await killed;
    const { error } = await session.read(0, 512);
    session.hangUp();
    return error === 0 ? 'served' : `error ${String(error)}`;
  } catch {
    return 'refused, or cut off';
  }
}
