import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const compiled = path.resolve(import.meta.dirname, '../../dist');

/**
 * The URL of a compiled module of this room. Other processes and worker threads run compiled code, so the build
 * precedes these tests.
 */
export function compiledModule(name = 'index.js'): string {
  const file = path.join(compiled, name);
  if (!existsSync(file)) throw new Error(`${file} is not built yet: run \`npx tsc -b\` in libs/linux first`);
  return pathToFileURL(file).href;
}

export interface ChildOptions {
  readonly uid?: number;
  readonly args?: readonly string[];
  /** The most descriptors it may have open (ulimit -n). */
  readonly openFilesMax?: number;
}

/**
 * Another Node process that runs `script`, an ES module in which `linux` is this room. It talks by lines on stdout;
 * its fd 3 is a Unix socket whose other end is `channel`. `using` kills it.
 */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly #lines: Interface;
  readonly #iterator: AsyncIterator<string>;

  constructor(script: string, { uid, args = [], openFilesMax }: ChildOptions = {}) {
    const source = `import * as linux from ${JSON.stringify(compiledModule())};\n${script}`;
    const limit = openFilesMax === undefined ? '' : `ulimit -n ${openFilesMax} && `;
    const command = [process.execPath, '--input-type=module', '-e', source, '--', ...args];
    this.process = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, ...command], {
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
      cwd: '/',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    const { stdout } = this.process;
    if (stdout === null) throw new Error('the child has no stdout');
    this.#lines = createInterface({ input: stdout });
    this.#iterator = this.#lines[Symbol.asyncIterator]();
  }

  /** The other end of the child's fd 3. */
  get channel() {
    const channel = this.process.stdio[3];
    if (channel === undefined || channel === null || !('write' in channel)) throw new Error('no channel');
    return channel;
  }

  async line(): Promise<string> {
    const next = await this.#iterator.next();
    if (next.done === true) throw new Error('the child ended without another line');
    return next.value;
  }

  async ended(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
    return this.process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended();
    this.#lines.close();
  }
}
