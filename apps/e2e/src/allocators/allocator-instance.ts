import { chosenDatabase } from '../support/databases.js';
import { Faults } from '../crash/fault.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';

/** As `holdfast allocator show --json` tells it. */
export interface ShownAllocator {
  readonly name: string;
  readonly state: string;
  readonly number: string;
  readonly capacity: number;
  readonly free: number;
}

/** An instance with a loop device that is attached, for an allocator. */
export class AllocatorInstance {
  private constructor(
    readonly holdfast: Holdfast,
    readonly faults: Faults,
  ) {}

  static async start(): Promise<AllocatorInstance> {
    const faults = new Faults();
    const holdfast = await startHoldfast({
      images: [makeImage(MIB)],
      env: { ...faults.env, ...(await chosenDatabase.create()) },
    });
    const instance = new AllocatorInstance(holdfast, faults);
    await instance.does(
      'device',
      'add',
      'disk',
      '--kind',
      'loop',
      '--path',
      makeImage(16 * MIB, { name: 'pool.img' }),
    );
    await instance.does('device', 'attach', 'disk');
    return instance;
  }

  /** Runs a command that has to succeed. @returns what it printed */
  async does(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.holdfast.cli(...args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Runs a command that has to fail. @returns why it did */
  async failure(...args: readonly string[]): Promise<string> {
    const { code, stderr } = await this.holdfast.cli(...args);
    if (code === 0) throw new Error(`${args.join(' ')} succeeded`);
    return stderr;
  }

  create(name: string): Promise<string> {
    return this.does('allocator', 'create', name, '--device', 'disk', '--chunk', '64K');
  }

  /** The allocators, as they are listed now; undefined while nobody answers. */
  async list(): Promise<ShownAllocator[] | undefined> {
    const { code, stdout } = await this.holdfast.cli('allocator', 'list', '--json');
    return code === 0 ? (JSON.parse(stdout) as ShownAllocator[]) : undefined;
  }

  /** Who has reserved the device. */
  async holders(): Promise<string[]> {
    const told = JSON.parse(await this.does('device', 'explain', 'disk', '--json')) as {
      reservations?: { holder: string }[];
    };
    return (told.reservations ?? []).map(({ holder }) => holder);
  }
}
