import type { Finished } from '../support/command.js';
import type { Holdfast } from '../support/holdfast.js';

/** What `device show --json` tells of a device of another server. */
export interface ShownRemote {
  readonly state: string;
  readonly epoch: string;
  readonly verification: string;
  readonly sizeBytes: string;
  readonly errorReason: string;
  readonly identity?: unknown;
  readonly remote?: { readonly transmissionFlags: number };
}

/** Registers, attaches and publishes an export of another server under a name. @returns the URI for clients */
export async function chain(
  holdfast: Holdfast,
  name: string,
  uri: string,
  ...options: readonly string[]
): Promise<string> {
  await done(holdfast, 'device', 'add', name, '--kind', 'nbd', '--uri', uri, ...options);
  await done(holdfast, 'device', 'attach', name);
  await done(holdfast, 'export', 'add', name, '--device', name);
  return `nbd://127.0.0.1:${String(holdfast.port)}/${name}`;
}

export async function shownRemote(holdfast: Holdfast, name: string): Promise<ShownRemote> {
  const { stdout } = await done(holdfast, 'device', 'show', name, '--json');
  return (JSON.parse(stdout) as { attachment: ShownRemote }).attachment;
}

/** @throws Error with what it said, unless it succeeded */
export async function done(holdfast: Holdfast, ...args: readonly string[]): Promise<Finished> {
  const finished = await holdfast.cli(...args);
  if (finished.code !== 0) throw new Error(`holdfast ${args.join(' ')}: ${finished.stderr}`);
  return finished;
}
