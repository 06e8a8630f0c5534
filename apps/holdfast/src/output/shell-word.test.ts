import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from './shell-word.js';

test('what a shell takes as it is, is left as it is', () => {
  for (const word of ['/srv/holdfast', 'nbd://127.0.0.1:10809/disk.img', 'a%20b']) {
    expect(shellWord(word)).toBe(word);
  }
});

test.each([
  '',
  'two words',
  "it's",
  '$HOME',
  '`id`',
  'a;b',
  '~',
  'nbd+unix:///disk.img?socket=/s/nbd.sock',
  'a\nb',
  '"quoted"',
])('a shell reads the word %j as it was meant', (word) => {
  const read = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`]).toString();
  expect(read).toBe(word);
});
