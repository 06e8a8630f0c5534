import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface HookOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** EPIPE when the hook ended before it had read all. */
  readonly stdinError: string | undefined;
}

const TIMEOUT_MS = 15_000;

/** Runs a script to its end, as the program does that it is a hook of. */
export async function runHook(
  script: string,
  args: readonly string[],
  { env = {}, stdin = '' }: { readonly env?: NodeJS.ProcessEnv; readonly stdin?: string } = {},
): Promise<HookOutcome> {
  const child = spawn(script, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const closed = once(child, 'close');
  let stdinError: string | undefined;
  child.stdin.on('error', (error: NodeJS.ErrnoException) => (stdinError = error.code));
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await closed) as [number | null];
  return { code, stdout, stderr, stdinError };
}
