import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { TestFolder } from '../testing/folder.js';
import { HandoffListener, type HandoffListenerOptions } from './handoff-listener.js';
import { HANDOFF_TOKEN_BYTES } from './limits.js';
import { sendHandoff } from './send-handoff.js';

/** A listener that notes the first byte of each token. */
async function listen(path: string): Promise<{ listener: HandoffListener; heard: number[] }> {
  const heard: number[] = [];
  const options: HandoffListenerOptions = {
    allowedUid: process.getuid?.() ?? 0,
    onHandoff: ({ token, fd }) => {
      heard.push(token[0] ?? 0);
      fd.close();
    },
    onRefused: () => undefined,
  };
  const listener = await HandoffListener.listen(path, options);
  onTestFinished(() => listener.close());
  return { listener, heard };
}

async function send(path: string, token: number): Promise<void> {
  const fd = openSync('/dev/null', 'r');
  try {
    await sendHandoff(path, Buffer.alloc(HANDOFF_TOKEN_BYTES, token), Buffer.alloc(0), fd);
  } finally {
    closeSync(fd);
  }
}

test('a listener that moves hears whoever sends to its new place, also where another listened', async () => {
  using folder = new TestFolder();
  const [here, there] = [folder.file('here'), folder.file('there')];
  const old = await listen(there);
  const next = await listen(here);
  await send(there, 1);
  await vi.waitFor(() => {
    expect(old.heard).toEqual([1]);
  });
  next.listener.moveTo(there);
  expect(next.listener.path).toBe(there);
  await send(there, 2);
  await vi.waitFor(() => {
    expect(next.heard).toEqual([2]);
  });
  expect(old.heard).toEqual([1]);
  await expect(send(here, 3)).rejects.toMatchObject({ code: 'HANDOFF_FAILED' });
});

test('a listener that closes takes its own file away, and not that of whoever took its place', async () => {
  using folder = new TestFolder();
  const [here, there] = [folder.file('here'), folder.file('there')];
  const old = await listen(there);
  const next = await listen(here);
  next.listener.moveTo(there);
  await old.listener.close();
  expect(existsSync(there)).toBe(true);
  await next.listener.close();
  expect([here, there].map((path) => existsSync(path))).toEqual([false, false]);
});
