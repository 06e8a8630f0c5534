import {
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { HoldfastError } from '@holdfast/foundation';
import { expect, test } from 'vitest';
import { checked } from '../errno.js';
import { openFile } from '../open-file.js';
import { OwnedFd } from '../owned-fd.js';
import { openFdCount } from '../process.js';
import { lockFile, tryLock } from '../state-lock.js';
import { Child } from '../testing/child.js';
import { TestFolder } from '../testing/folder.js';
import { startWorker } from '../testing/worker.js';
import { HandoffListener, type HandoffListenerOptions } from './handoff-listener.js';
import { bindTo, connectTo, openSeqpacket } from './unix-socket.js';

const options: HandoffListenerOptions = {
  allowedUid: process.getuid?.() ?? 0,
  onHandoff: ({ fd }) => {
    fd.close();
  },
  onRefused: () => undefined,
};

async function refusal(path: string): Promise<HoldfastError> {
  const before = openFdCount();
  const error: unknown = await HandoffListener.listen(path, options).catch((reason: unknown) => reason);
  expect(openFdCount()).toBe(before);
  if (error instanceof HoldfastError) return error;
  throw new Error('it listens');
}

const listeningChild = `
  globalThis.listener = await linux.HandoffListener.listen(process.argv[1], {
    allowedUid: process.getuid(), onHandoff() {}, onRefused() {} });
  console.log('listening');`;

test('closing removes the socket, closes all, and can be repeated', async () => {
  using folder = new TestFolder();
  const path = folder.file('s');
  const before = openFdCount();
  const listener = await HandoffListener.listen(path, options);
  expect(statSync(path).isSocket()).toBe(true);
  const silent = openSeqpacket();
  checked('connect', connectTo(silent.number, path));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await listener.close();
  await listener.close();
  silent.close();
  expect(existsSync(path)).toBe(false);
  expect(openFdCount()).toBe(before);
});

test('pitfall 8: the socket file of a process that was killed is taken over', async () => {
  using folder = new TestFolder();
  const path = folder.file('s');
  await using child = new Child(listeningChild, { args: [path] });
  expect(await child.line()).toBe('listening');
  child.process.kill('SIGKILL');
  await child.ended();
  expect(existsSync(path)).toBe(true);
  const listener = await HandoffListener.listen(path, options);
  await listener.close();
});

test('pitfall 8: the socket of a live process is not, and goes on working', async () => {
  using folder = new TestFolder();
  const path = folder.file('s');
  await using child = new Child(listeningChild, { args: [path] });
  expect(await child.line()).toBe('listening');
  const before = whichFile(path);
  const error = await refusal(path);
  expect(error.code).toBe('PORT_IN_USE');
  expect(error.message).toContain(JSON.stringify(path));
  expect(whichFile(path)).toEqual(before);
  using probe = openSeqpacket();
  expect(connectTo(probe.number, path)).toBe(0);
});

test('a live socket of another type is in use as well', async () => {
  using folder = new TestFolder();
  const server = createServer().listen(folder.file('s'));
  await once(server, 'listening');
  expect((await refusal(folder.file('s'))).code).toBe('PORT_IN_USE');
  server.close();
});

test('what is no socket is never removed', async () => {
  using folder = new TestFolder();
  writeFileSync(folder.file('file'), 'precious');
  mkdirSync(folder.file('folder'));
  symlinkSync('file', folder.file('link'));
  for (const name of ['file', 'folder', 'link']) {
    expect((await refusal(folder.file(name))).code).toBe('PORT_IN_USE');
  }
  expect(readFileSync(folder.file('link'), 'utf8')).toBe('precious');
});

/** An inode's number alone would not do: a file system may use it again at once. */
function whichFile(path: string): bigint[] {
  const { ino, ctimeNs } = statSync(path, { bigint: true });
  return [ino, ctimeNs];
}

function leaveStale(path: string): void {
  using dead = openSeqpacket();
  checked('bind', bindTo(dead.number, path));
}

test('of many that start at once over a stale file one listens, the others are told', async () => {
  using folder = new TestFolder();
  const path = folder.file('s');
  leaveStale(path);
  const before = openFdCount();
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => HandoffListener.listen(path, options)),
  );
  const listening = results.filter((result) => result.status === 'fulfilled');
  expect(listening.length).toBe(1);
  await listening[0]?.value.close();
  expect(openFdCount()).toBe(before);
});

test('who starts waits while another looks at the same folder, and does not touch the file meanwhile', async () => {
  using folder = new TestFolder();
  const path = folder.file('s');
  leaveStale(path);
  const before = whichFile(path);
  const other = new OwnedFd(openFile(folder.path, constants.O_RDONLY | constants.O_DIRECTORY));
  expect(tryLock(other.number)).toBe(true);
  const starting = HandoffListener.listen(path, options);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(whichFile(path)).toEqual(before);
  other.close();
  const listener = await starting;
  using probe = openSeqpacket();
  expect(connectTo(probe.number, path)).toBe(0);
  await listener.close();
});

test('a path that is too long, or in no folder, is a system error by name', async () => {
  using folder = new TestFolder();
  expect((await refusal(folder.file('x'.repeat(120)))).metadata).toMatchObject({ errno: 'ENAMETOOLONG' });
  expect((await refusal(folder.file('none/s'))).metadata).toMatchObject({ call: 'open', errno: 'ENOENT' });
});

test('closing leaves a file that another put in its place', async () => {
  using folder = new TestFolder();
  const path = folder.file('s');
  const listener = await HandoffListener.listen(path, options);
  rmSync(path);
  writeFileSync(path, 'another');
  await listener.close();
  expect(readFileSync(path, 'utf8')).toBe('another');
});

test('a lock file in the same folder does not stand in its way', async () => {
  using folder = new TestFolder();
  using lock = lockFile(folder.file('lock'));
  expect(lock).toBeDefined();
  await (await HandoffListener.listen(folder.file('s'), options)).close();
});

test('a process that listens exits when it is told to, and when it has closed', async () => {
  using folder = new TestFolder();
  await using told = new Child(`${listeningChild} setTimeout(() => process.exit(7), 50);`, {
    args: [folder.file('told')],
  });
  expect(await told.ended()).toBe(7);
  await using closed = new Child(`${listeningChild} setTimeout(() => listener.close(), 50);`, {
    args: [folder.file('closed')],
  });
  expect(await closed.ended()).toBe(0);
  expect(existsSync(folder.file('closed'))).toBe(false);
});

test('a worker thread is refused, since its end could crash the process', async () => {
  using folder = new TestFolder();
  const worker = await startWorker(
    `linux.HandoffListener.listen(data, {}).catch((error) => parentPort.postMessage(error.message));`,
    folder.file('s'),
  );
  const [message] = (await once(worker, 'message')) as [string];
  expect(message).toContain('main thread');
  await worker.terminate();
});
