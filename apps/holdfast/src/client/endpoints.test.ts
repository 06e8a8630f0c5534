import { homedir } from 'node:os';
import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { defaultStateFolder, resolveEndpoints, resolveLayout } from './endpoints.js';

describe('the default state folder', () => {
  const inHome = path.join(homedir(), '.local/state/holdfast');

  test.each([
    { base: '/var/lib/state', folder: '/var/lib/state/holdfast' },
    { base: undefined, folder: inHome },
    { base: '', folder: inHome },
    { base: 'relative/state', folder: inHome },
  ])('is $folder where XDG_STATE_HOME is $base', ({ base, folder }) => {
    expect(defaultStateFolder(base === undefined ? {} : { XDG_STATE_HOME: base })).toBe(folder);
  });
});

test('a state folder is meant from the working folder', () => {
  expect(resolveLayout('lab').folder).toBe(path.resolve('lab'));
});

describe('the endpoints of an instance', () => {
  test('are the sockets in its state folder', () => {
    expect(resolveEndpoints({ state: '/s' })).toEqual({
      'nbd-gateway': 'unix:/s/nbd-gateway.sock',
      'device-registry': 'unix:/s/device-registry.sock',
      'io-worker': 'unix:/s/io-worker.sock',
      'allocator-verifier': 'unix:/s/allocator-verifier.sock',
    });
  });

  test('are replaced one by one, and an address may have "=" in it', () => {
    const endpoint = ['io-worker=127.0.0.1:7000', 'nbd-gateway=unix:/a=b'];
    expect(resolveEndpoints({ state: '/s', endpoint })).toEqual({
      'nbd-gateway': 'unix:/a=b',
      'device-registry': 'unix:/s/device-registry.sock',
      'io-worker': '127.0.0.1:7000',
      'allocator-verifier': 'unix:/s/allocator-verifier.sock',
    });
  });

  test.each(['io-worker', 'io-worker=', '=127.0.0.1:1', 'tape=127.0.0.1:1', ''])(
    'are refused by name when they are "%s"',
    (text) => {
      const resolve = () => resolveEndpoints({ state: '/s', endpoint: [text] });
      expect(resolve).toThrow(HoldfastError);
      expect(resolve).toThrow(
        `--endpoint must be SERVICE=ADDRESS with one of nbd-gateway, device-registry, io-worker, allocator-verifier, got "${text}"`,
      );
    },
  );
});
