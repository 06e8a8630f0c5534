import { expect } from 'vitest';
import { run, succeed } from '../support/command.js';
import { runHoldfast } from '../support/holdfast-program.js';
import type { Launcher } from './servers.js';

/** What `nbdinfo` tells that is no fact of the protocol: our URI is the user's own, and nothing is looked at by file(1). */
const NO_FACTS = new Set(['uri', 'content']);

interface Document extends Record<string, unknown> {
  readonly exports: readonly Record<string, unknown>[];
}

/** Compares `nbd info --json` with `nbdinfo --json`, in all that the latter tells. */
export async function expectSameInfo(uri: string, launcher: Launcher = []): Promise<void> {
  const ours = await ourDocument(['nbd', 'info', '--json', uri]);
  const theirs = await document(launcher, ['--no-content', '--json', uri]);
  expect(ours).toMatchObject(theirs);
}

/** The same of `nbd list` and `nbdinfo --list`. */
export async function expectSameList(uri: string, launcher: Launcher = []): Promise<void> {
  const ours = await ourDocument(['nbd', 'list', '--json', uri]);
  const theirs = await document(launcher, ['--list', '--json', uri]);
  expect(ours).toMatchObject(theirs);
  expect(ours.exports).toHaveLength(theirs.exports.length);
}

/** Compares what `nbd map` prints with what `nbdinfo --map` prints, for a program and for a person. */
export async function expectSameMap(uri: string, context: string, launcher: Launcher = []): Promise<void> {
  const args = ['nbd', 'map', '--context', context, uri];
  for (const totals of [[], ['--totals']]) {
    const ours = await finish(runHoldfast([...args, '--json', ...totals]));
    const theirs = await nbdinfo(launcher, [`--map=${context}`, '--json', ...totals, uri]);
    expect(JSON.parse(ours)).toEqual(JSON.parse(theirs));
  }
  const ours = await finish(runHoldfast(args));
  expect(ours).toBe(await nbdinfo(launcher, [`--map=${context}`, uri]));
}

/** Compares the exit codes of a question. */
export async function expectSameAnswer(uri: string, how: '--can' | '--is', what: string): Promise<void> {
  const ours = await runHoldfast(['nbd', 'info', how, what, uri]);
  const theirs = await run('nbdinfo', [how, what, uri]);
  expect({ what, code: ours.code, stdout: ours.stdout }).toEqual({ what, code: theirs.code, stdout: '' });
}

async function ourDocument(args: readonly string[]): Promise<Document> {
  return JSON.parse(await finish(runHoldfast(args))) as Document;
}

async function document(launcher: Launcher, args: readonly string[]): Promise<Document> {
  const { exports, ...connection } = JSON.parse(await nbdinfo(launcher, args)) as Document;
  const facts = exports.map((one) =>
    Object.fromEntries(Object.entries(one).filter(([name]) => !NO_FACTS.has(name))),
  );
  return { ...connection, exports: facts };
}

async function nbdinfo(launcher: Launcher, args: readonly string[]): Promise<string> {
  const [program, ...before] = [...launcher, 'nbdinfo'];
  return (await succeed(program, [...before, ...args])).stdout;
}

async function finish(running: ReturnType<typeof runHoldfast>): Promise<string> {
  const { code, stdout, stderr } = await running;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}
