import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of its own that uses the store. It runs the compiled code, so the build comes before these tests. */
export class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, args: string[]) {
    // From `src/testing` under vitest, from `dist/testing` when compiled: the same place either way.
    const script = fileURLToPath(new URL(`../../dist/testing/children/${name}.js`, import.meta.url));
    if (!existsSync(script)) throw new Error(`${script} is missing: build before testing`);
    const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.process = child;
    const lines: Interface = createInterface({ input: child.stdout });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The next line that it says; absent when it has ended. */
  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done === true ? undefined : next.value;
  }

  say(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  /** Kills it on the spot, as a crash would. */
  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }
}
