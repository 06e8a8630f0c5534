import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Faults } from '../crash/fault.js';
import type { TestDatabase } from '../support/databases.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** An instance that programs are loaded into. */
export class ProgramInstance {
  readonly #folder = scratchFolder();

  private constructor(
    readonly holdfast: Holdfast,
    readonly faults: Faults,
  ) {}

  static async start(database: TestDatabase): Promise<ProgramInstance> {
    const faults = new Faults();
    const env = { ...faults.env, ...(await database.create()) };
    return new ProgramInstance(await startHoldfast({ images: [makeImage(MIB)], env }), faults);
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

  /** A file with the text of a program. */
  file(name: string, body: readonly string[], parameters = ''): string {
    const file = path.join(this.#folder, name);
    const lines = body.map((line) => `  ${line}`);
    writeFileSync(file, `program ${name}${parameters} {\n${lines.join('\n')}\n}\n`);
    return file;
  }

  /** As `table show` tells it. */
  async chains(): Promise<unknown[]> {
    const table = JSON.parse(await this.does('table', 'show', '--json')) as { chains?: unknown[] };
    return table.chains ?? [];
  }

  async allocators(): Promise<
    { readonly state: string; readonly allocated?: number; readonly free?: number }[]
  > {
    return JSON.parse(await this.does('allocator', 'list', '--json')) as { state: string }[];
  }

  /** Chunks that the map holds. */
  async held(map: string): Promise<number> {
    const { code, stdout } = await this.holdfast.cli('map', 'show', map, '--json');
    return code === 0 ? (JSON.parse(stdout) as { values: unknown[] }).values.length : 0;
  }
}

/** Takes what a field holds, stores it into another or frees it: the last line says which. */
export const taking = (from: string, then: readonly string[]): string[] => [
  `r0 = xchg ${from}, null`,
  'if r0 is not null {',
  ...then,
  '}',
];

/** Stores what r0 holds, and frees what was there. */
export const storing = (into: string): string[] => [
  `r0 = xchg ${into}, r0`,
  'if r0 is not null {',
  'free r0',
  '}',
];

/** Fills 1200 entries of `big.f`: more than are freed in one transaction. */
export const FILL_BIG = [
  'loop r1 times 1200 {',
  'r0 = alloc A',
  'if r0 is not null {',
  ...storing('big[r1].f'),
  '}',
  '}',
];
