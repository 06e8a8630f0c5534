import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { stateLayout } from './state-layout.js';
import { temporaryFolder } from './testing/temporary-folder.js';

const SUN_PATH_BYTES = 107;

test('everything of an instance stands in its folder, under names of its own', () => {
  const { folder, ...places } = stateLayout('/srv/holdfast');
  expect(folder).toBe('/srv/holdfast');
  const paths = Object.values<string>(places);
  expect(paths.map((place) => path.dirname(place))).toEqual(paths.map(() => '/srv/holdfast'));
  expect(new Set(paths).size).toBe(paths.length);
});

test('a folder whose longest socket has just room is accepted, and that socket can be bound', async () => {
  const base = temporaryFolder();
  const room = SUN_PATH_BYTES - '/device-registry.handoff'.length - base.length - 1;
  const folder = path.join(base, 'x'.repeat(room));
  mkdirSync(folder);
  const layout = stateLayout(folder);
  const sockets = Object.values<string>({ ...layout }).filter((place) => /\.(sock|handoff)$/.test(place));
  expect(Math.max(...sockets.map((place) => place.length))).toBe(SUN_PATH_BYTES);
  for (const place of sockets) {
    const server = createServer().listen(place);
    await once(server, 'listening');
    server.close();
  }
});

test('a folder that is too long is refused before anything is made in it, with how much is too much', () => {
  const folder = `/srv/${'ü'.repeat(42)}`;
  const excess = Buffer.byteLength(`${folder}/device-registry.handoff`) - SUN_PATH_BYTES;
  expect(excess).toBeGreaterThan(0);
  expect(() => stateLayout(folder)).toThrow(
    expect.objectContaining({
      code: 'INVALID_SETTING',
      message: expect.stringContaining(`${String(excess)} bytes too long`) as string,
      metadata: { setting: 'HOLDFAST_STATE' },
    }) as Error,
  );
});
