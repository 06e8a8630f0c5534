import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { LogTail } from './log-tail.js';

async function follow(...chunks: string[]): Promise<{ tail: LogTail; copied: string }> {
  const [output, file] = [new PassThrough(), new PassThrough({ encoding: 'utf8' })];
  let copied = '';
  file.on('data', (text: string) => (copied += text));
  const tail = new LogTail(output, file);
  for (const chunk of chunks) output.write(chunk);
  output.end();
  const lines = chunks
    .join('')
    .split('\n')
    .filter((line) => line !== '').length;
  await vi.waitUntil(() => copied.split('\n').length > lines);
  return { tail, copied };
}

const line = (level: number, msg: unknown) => `${JSON.stringify({ level, msg })}\n`;

test('every line is copied, wherever it was split', async () => {
  const { copied } = await follow('{"level":30,', '"msg":"one"}\ntw', 'o\n', 'three');
  expect(copied).toBe('{"level":30,"msg":"one"}\ntwo\nthree\n');
});

test('the last fatal message is what explains an end', async () => {
  const { tail } = await follow(line(60, 'first'), line(60, 'last words'), line(50, 'an error'), 'noise\n');
  expect(tail.fatal).toBe('last words');
});

test.each([
  ['is no JSON', '{"level":60,"msg"\n'],
  ['is JSON of another kind', '[60]\n'],
  ['has no text', line(60, { not: 'text' })],
  ['is less than fatal', line(50, 'an error')],
])('a line that %s explains nothing', async (_what, text) => {
  expect((await follow(text)).tail.fatal).toBeUndefined();
});
