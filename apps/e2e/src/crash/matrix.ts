import { faultPoints, type FaultPoint } from '@holdfast/service/fault-points';
import prettier from 'prettier';
import { operations } from './operations.js';

/** Who is killed with -9 at a step. */
export const victims = ['device-registry', 'io-worker', 'nbd-gateway', 'all'] as const;
export type Victim = (typeof victims)[number];

/** What became of it. */
export interface Outcome {
  /** What the caller of the operation was told. */
  readonly told: string;
  /** How the device is in the end. */
  readonly device: string;
  /** From the kill until every record was at rest, in milliseconds. */
  readonly repairMs: number;
}

/** Step × victim → outcome. */
export class CrashMatrix {
  readonly #outcomes = new Map<string, Outcome>();

  record(operation: string, point: FaultPoint, victim: Victim, outcome: Outcome): void {
    this.#outcomes.set([operation, point, victim].join(), outcome);
  }

  /** How long repairs took, shortest first, in milliseconds. */
  repairTimes(): number[] {
    return [...this.#outcomes.values()].map(({ repairMs }) => repairMs).sort((a, b) => a - b);
  }

  /** docs/reference/crashes.md */
  page(): Promise<string> {
    const sections = operations.map(({ name, tells, points }) => {
      const rows = points.map((point) => {
        const cells = victims.map((victim) => this.#cell(name, point, victim));
        return `| \`${point}\`: ${faultPoints[point]} | ${cells.join(' | ')} |`;
      });
      const head = `| Step that was reached | ${victims.map((victim) => (victim === 'all' ? 'all three' : victim)).join(' | ')} |`;
      return `## ${name[0]?.toUpperCase() ?? ''}${name.slice(1)}\n\n${tells}.\n\n${head}\n|${' --- |'.repeat(5)}\n${rows.join('\n')}\n`;
    });
    return prettier.format([INTRODUCTION, ...sections].join('\n'), { parser: 'markdown', printWidth: 120 });
  }

  #cell(operation: string, point: FaultPoint, victim: Victim): string {
    const outcome = this.#outcomes.get([operation, point, victim].join());
    if (outcome === undefined) return 'not tried';
    return outcome.told === '–' ? outcome.device : `${outcome.told}; ${outcome.device}`;
  }
}

const INTRODUCTION = `# Crashes

<!-- Made by apps/e2e/src/crash/matrix.e2e.ts, which fails when this page is not what it saw. -->

What becomes of a device when a service is killed with \`kill -9\` in the middle of something. A test stops the services at
each step, kills one of them or all three, lets the rest go on, and looks at what there is once the killed ones run again:
with a real loop device, a real database and a real client.

Each cell says what the caller is told, and how the device is in the end. \`UNAVAILABLE\` is any code of that
[status](errors.md), which says to repeat the call. After every one of them:

- there is one loop device over the image when the device is attached, and none when it is detached;
- registry and worker have it open once each, and nobody else has;
- it is the device that is recorded: the same disk sequence number, and the same bytes;
- no record is left between two states, and there are as many leases as sessions;
- the client of another device goes on reading on the same connection, unless the worker was killed.

"Anew" means a new loop device under the next epoch: sessions and leases of the old one are refused.
`;
