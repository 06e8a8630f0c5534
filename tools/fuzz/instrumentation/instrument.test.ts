import { runInThisContext } from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import { counts } from './blocks.js';
import { instrument } from './instrument.js';
import { Reached } from './reached.js';

/** Runs instrumented code. @returns how many of its blocks were counted, in all */
function blocksRun(source: string): number {
  // A module without imports and exports is a script too.
  runInThisContext(`{${instrument(source, 'file:///test')}}`);
  return counts.reduce((sum, count) => sum + count, 0);
}

beforeEach(() => {
  counts.fill(0);
});

describe('code that counts its blocks', () => {
  test.each([
    ['a function that is called', 'function f() { return 1; } f();', 1],
    ['a function that is not called', 'function f() { return 1; }', 0],
    ['an arrow with an expression', 'const f = () => ({ a: 1 }); f().a;', 1],
    ['the branch taken', 'if (1) { 2; } else { 3; }', 1],
    ['a branch that is not there', 'if (0) 2;', 1],
    ['an if that is the whole of a branch', 'if (1) if (0) 2; else 3;', 2],
    ['an else that is an if', 'if (0) 2; else if (0) 3;', 2],
    ['every turn of a loop', 'for (let i = 0; i < 5; i += 1) i;', 5],
    ['a case', 'switch (2) { case 1: case 2: 3; break; default: 4; }', 1],
    ['a side of a choice', 'const a = 1 ? 2 : 3;', 1],
    ['a right side that is reached', 'const a = 0 || (1 && 2);', 2],
    ['a right side that is not reached', 'const a = 1 || 2;', 0],
    ['a catch', 'try { throw new Error("x"); } catch { 1; }', 1],
    ['a method', 'class A { #b() { return 1; } c() { return this.#b(); } } new A().c();', 2],
  ])('%s', (_what, source, blocks) => {
    expect(blocksRun(source)).toBe(blocks);
  });

  test('lines stay where they are', () => {
    const source = 'const a = 1;\nif (a)\n  throw new Error("x");\n';
    expect(instrument(source, 'file:///test').split('\n')).toHaveLength(4);
  });
});

test('news are a block, or a number of turns, that no input showed before', () => {
  const reached = new Reached();
  const news = (source: string) => {
    reached.begin();
    // The same module each time: its blocks are those that it had first.
    counts[0] = Number(source);
    return reached.end();
  };
  blocksRun('1');
  expect(['1', '1', '2', '3', '4', '7', '8', '15', '127', '128', '5000'].map(news)).toEqual([
    true,
    false,
    true,
    true,
    true,
    false,
    true,
    false,
    true,
    true,
    false,
  ]);
});
