import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { REACHED_SUFFIX, type FaultPoint } from '@holdfast/service/fault-points';
import { eventually } from '../support/eventually.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** The folder by which a test stops services at their fault points (libs/service/src/fault-points.ts). */
export class Faults {
  readonly folder = path.join(scratchFolder(), 'faults');

  constructor() {
    mkdirSync(this.folder);
  }

  /** What the services need in their environment. */
  get env(): NodeJS.ProcessEnv {
    return { HOLDFAST_FAULT_POINTS: this.folder };
  }

  /** The next to come by stops there. */
  arm(point: FaultPoint): void {
    writeFileSync(path.join(this.folder, point), '');
  }

  /** Waits until somebody has stopped there. */
  async reached(point: FaultPoint): Promise<void> {
    const file = path.join(this.folder, `${point}${REACHED_SUFFIX}`);
    await eventually(`anybody to come by ${point}`, () => existsSync(file));
  }

  /** Whoever has stopped goes on, and nobody stops any more. */
  letGo(): void {
    for (const name of readdirSync(this.folder)) rmSync(path.join(this.folder, name));
  }
}
