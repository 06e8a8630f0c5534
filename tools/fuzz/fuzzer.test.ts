import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { runInThisContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { instrument } from './instrumentation/instrument.js';
import { fuzz } from './fuzzer.js';
import { Random } from './random.js';
import type { Target } from './types.js';

const run = promisify(execFile);
const program = path.join(import.meta.dirname, 'run');

/** Of a program that is given 15 s, on a machine that is busy with other tests. */
const RUN_MS = 120_000;

/** A door behind a door behind a door: guessing all three keys at once takes 2^24 attempts. */
const MAZE = `globalThis.maze = (bytes) => {
  if (bytes[4] === 7) {
    if (bytes[5] === 99) {
      if (bytes[6] === 211) throw new Error('found');
    }
  }
};`;

function targetOf(source: string): Target {
  runInThisContext(`{${instrument(source, 'file:///maze')}}`);
  const maze = Reflect.get(globalThis, 'maze') as (bytes: Uint8Array) => void;
  return {
    name: 'maze',
    underTest: /maze/,
    setupBytes: 4,
    inputBytesMax: 16,
    seeds: () => [new Uint8Array(8)],
    message: (random: Random) => random.bytes(2),
    boundaries: () => [],
    run: maze,
  };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-fuzz-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

describe('the fuzzer', () => {
  test(
    'finds by what it reaches, and not by luck; makes what it found as small as it can be',
    () => {
      const { findings, executions, blocksReached, blocks } = fuzz(targetOf(MAZE), {
        seconds: 20,
        seed: 1,
        corpus: [],
        findingsMax: 1,
      });
      expect(findings.map(({ rule }) => rule)).toEqual(['Error: found']);
      expect([...(findings[0]?.input.subarray(4) ?? [])]).toEqual([7, 99, 211]);
      expect(executions).toBeGreaterThan(0);
      expect(blocksReached).toBe(blocks);
    },
    RUN_MS,
  );

  test('a seed makes the same random numbers again', () => {
    const numbers = (seed: number) =>
      Array.from({ length: 5 }, (_, index) => [index, new Random(seed).uint32()]);
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
  });

  test('what is no option, no target and no number is told with exit code 64', async () => {
    for (const args of [['--nonsense'], ['--target', 'moon'], ['--seconds', 'soon'], ['--replay', 'x']]) {
      await expect(run(program, args)).rejects.toMatchObject({ code: 64 });
    }
  });
});

describe('any input to a protocol machine', () => {
  test.each([
    [
      'handshake',
      'N1 N2 N3 N4 N5 N6 N7 N8 N9 N10 N11 the server handshake: every option has its one right answer',
    ],
    [
      'transmission',
      'T1–T12 T15 T16 T18 T19 the server transmission: every request has its one right answer',
    ],
    ['negotiation', 'N7 N9 T5 T18 T19 the client handshake: good answers are taken, others end it by name'],
    ['client', 'B1 B6 E3 T9 T11 T12 T19 the client: good replies are taken, others end it by name'],
  ])(
    '%s: %s',
    async (target) => {
      const folder = temporaryFolder();
      const { stdout } = await run(program, [
        '--target',
        target,
        '--seconds',
        '15',
        '--findings',
        folder,
      ]).catch((failure: unknown) => failure as { stdout: string });
      expect(stdout).toContain('findings 0');
      expect(readdirSync(folder)).toEqual([]);
      // A fuzzer that reaches little proves little.
      const [, reached = '0', blocks = '1'] = /(\d+) of (\d+) blocks/.exec(stdout) ?? [];
      expect(Number(reached) / Number(blocks)).toBeGreaterThan(0.7);
    },
    RUN_MS,
  );

  test('a saved input is run again', async () => {
    const file = path.join(temporaryFolder(), 'input.bin');
    writeFileSync(file, Buffer.alloc(40));
    const { stdout } = await run(program, ['--target', 'client', '--replay', file]);
    expect(stdout).toBe('no rule was broken\n');
  });
});
