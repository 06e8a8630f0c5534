import { beforeEach, expect, test } from 'vitest';
import { capturePrinted, type Printed } from '../testing/printed.js';
import { printFacts, printJson, printNote, printTable } from './print.js';

let printed: Printed;

beforeEach(() => {
  printed = capturePrinted();
});

test('a table has columns as wide as their widest cell, and no blanks at the end', () => {
  printTable(
    ['NAME', 'SIZE'],
    [
      ['a longer name', '1 B'],
      ['b', '10 GiB'],
    ],
  );
  expect(printed.stdout).toBe('NAME           SIZE\na longer name  1 B\nb              10 GiB\n');
});

test('a table without rows is its headings', () => {
  printTable(['NAME', 'SIZE'], []);
  expect(printed.stdout).toBe('NAME  SIZE\n');
});

test('facts stand one a line, their values below each other', () => {
  printFacts({ name: 'vm1', state: 'connected' });
  expect(printed.stdout).toBe('name:  vm1\nstate: connected\n');
});

test('Law 7 JSON has 64-bit values as decimal strings, exactly', () => {
  printJson({ size: 2n ** 64n - 1n, count: 1, readOnly: false });
  expect(JSON.parse(printed.stdout)).toEqual({ size: '18446744073709551615', count: 1, readOnly: false });
});

test('a note is no result: it goes to standard error, as text or as one line of JSON', () => {
  printNote('a "word"\nand another', true);
  expect(printed.stderr.split('\n')).toHaveLength(2);
  expect(JSON.parse(printed.stderr)).toEqual({ event: 'note', message: 'a "word"\nand another' });
  printed.stderr = '';
  printNote('stopping', false);
  expect(printed).toEqual({ stdout: '', stderr: 'holdfast: stopping\n' });
});
