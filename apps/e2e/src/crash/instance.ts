import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { registryV1, workerV1 } from '@holdfast/contracts';
import { chosenDatabase } from '../support/databases.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { ask, getDevice, listLeases } from '../support/instance-facts.js';
import { eventually } from '../support/eventually.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';
import { openFds } from '../support/process-facts.js';
import { Faults } from './fault.js';

const { STATE_CONNECTED, STATE_RELEASED } = registryV1.Attachment_State;

/** The device that is attached, leased and detached while somebody is killed. */
const DEVICE = 'disk';
/** The export of another device, whose client does nothing but read. */
const BYSTANDER = 'bystander.img';

/** Longest a repair may take, from the kill on: services are started again one after the other, on a busy machine. */
export const REPAIR_MS = 30_000;

/** An instance with a loop device to crash around, and a bystander: another device with a client on it. */
export class CrashInstance {
  readonly faults: Faults;
  #bystander: NbdSession | undefined;

  private constructor(
    readonly holdfast: Holdfast,
    readonly image: string,
    faults: Faults,
  ) {
    this.faults = faults;
  }

  static async start(): Promise<CrashInstance> {
    const faults = new Faults();
    const holdfast = await startHoldfast({
      images: [makeImage(MIB, { name: BYSTANDER })],
      env: { ...faults.env, ...(await chosenDatabase.create()) },
    });
    const image = makeImage(4 * MIB, { name: 'crash.img' });
    for (const args of [
      ['device', 'add', DEVICE, '--kind', 'loop', '--path', image],
      ['export', 'add', DEVICE, '--device', DEVICE],
    ]) {
      const { code, stderr } = await holdfast.cli(...args);
      if (code !== 0) throw new Error(stderr);
    }
    return new CrashInstance(holdfast, image, faults);
  }

  devices<T>(call: (client: DeviceClient) => Promise<T>): Promise<T> {
    return ask(registryV1.DeviceServiceService, this.holdfast.layout.registrySocket, call);
  }

  attach(): Promise<unknown> {
    return this.devices((client) => client.attachDevice({ name: `devices/${DEVICE}` }));
  }

  detach({ force = false } = {}): Promise<unknown> {
    return this.devices((client) =>
      client.detachDevice({ name: `devices/${DEVICE}`, drainTimeout: undefined, force }),
    );
  }

  connect(): Promise<NbdSession> {
    return NbdSession.open(this.holdfast, DEVICE);
  }

  connectWhenServed(): Promise<NbdSession> {
    return openWhenServed(this.holdfast, DEVICE);
  }

  async attachment(): Promise<registryV1.Attachment | undefined> {
    return (await getDevice(this.holdfast, DEVICE)).attachment;
  }

  /** Has the bystander's client there: the one of before, if it is still served. */
  async bringBystander(): Promise<void> {
    if (!(await this.bystanderGoesOn())) this.#bystander = await openWhenServed(this.holdfast, BYSTANDER);
  }

  /** Whether the bystander's client is still served, on the connection that it had. */
  async bystanderGoesOn(): Promise<boolean> {
    const session = this.#bystander;
    if (session === undefined) return false;
    const goesOn = await session.read(0, 512).then(
      ({ error }) => error === 0,
      () => false,
    );
    if (!goesOn) this.#bystander = undefined;
    return goesOn;
  }

  /**
   * Waits until every record is at rest and agrees with what the worker holds: no attachment between two states, as
   * many leases as sessions, the worker holding what is attached and nothing else.
   */
  async atRest(): Promise<registryV1.Attachment> {
    let seen: unknown;
    try {
      return await eventually(
        'the records to be at rest',
        async () => {
          try {
            const { attachment, rests, facts } = await this.#look();
            seen = facts;
            return rests ? attachment : undefined;
          } catch (error) {
            // A service that is being started again.
            seen = String(error);
            return undefined;
          }
        },
        REPAIR_MS,
      );
    } catch (error) {
      throw new Error(`${String(error)}: ${JSON.stringify(seen, text)}\n${this.holdfast.stderr()}`, {
        cause: error,
      });
    }
  }

  /** Loop devices over the image, as the kernel tells. */
  loops(): string[] {
    return execFileSync('losetup', ['--list', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE'], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter((line) => line.endsWith(` ${this.image}`))
      .map((line) => line.split(' ')[0] ?? '');
  }

  /** Who has the loop device or its image open, by service: each at most once. */
  descriptors(): Record<string, number> {
    const wanted = new Set([...this.loops(), this.image]);
    return Object.fromEntries(
      [...this.holdfast.pids()]
        .map(([name, pid]) => [name, openFds(pid).filter((target) => wanted.has(target)).length] as const)
        .filter(([, count]) => count > 0),
    );
  }

  /** The recorded identity, and that of the device which the kernel has at that number now. */
  async identities(): Promise<{ recorded: string; kernel: string }> {
    const identity = (await this.attachment())?.identity;
    const folder = `/sys/dev/block/${String(identity?.major)}:${String(identity?.minor)}`;
    const diskseq = existsSync(`${folder}/diskseq`)
      ? BigInt(readFileSync(`${folder}/diskseq`, 'utf8')).toString(16)
      : '';
    return {
      recorded: `${identity?.diskseq ?? ''} ${this.loops()[0] ?? ''}`,
      kernel: `${diskseq} /dev/${readlinkSync(folder).split('/').at(-1) ?? ''}`,
    };
  }

  async #look() {
    const { attachment, wantedAttached } = await getDevice(this.holdfast, DEVICE);
    const attached = attachment?.state === STATE_CONNECTED;
    const held = await this.#workerHolds();
    const leases = (await listLeases(this.holdfast)).map(({ session }) => session);
    const rests =
      (attached || attachment?.state === STATE_RELEASED) &&
      wantedAttached === attached &&
      held.holdings.includes(attachment.name) === attached &&
      held.holdings.length === (attached ? 2 : 1) &&
      sameSet(leases, held.sessions);
    return { attachment, rests, facts: { attachment, wantedAttached, held, leases } };
  }

  async #workerHolds(): Promise<{ holdings: string[]; sessions: string[] }> {
    const { holdings } = await ask(
      workerV1.HoldingServiceService,
      this.holdfast.layout.workerSocket,
      (client) => client.reconcile({ voidLeasesUpTo: 0n, voidUnclaimed: false }),
    );
    const { sessions } = await ask(
      workerV1.SessionServiceService,
      this.holdfast.layout.workerSocket,
      (client) => client.listSessions({ pageSize: 1000, pageToken: '' }),
    );
    return {
      holdings: holdings.map(({ attachment }) => attachment),
      sessions: sessions.map(({ name }) => name),
    };
  }
}

type DeviceClient = Parameters<Parameters<typeof ask<typeof registryV1.DeviceServiceService, unknown>>[2]>[0];

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set([...a, ...b]).size === a.length;
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
