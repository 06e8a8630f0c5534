import { describe, expect, it } from 'vitest';
import { runHoldfast } from '../support/holdfast-program.js';
import { makeImage, MIB } from '../support/image.js';
import { startHoldfast } from '../support/holdfast.js';
import { requireCommands } from '../support/requirements.js';
import { exportCases } from './exports.js';
import { expectSameAnswer, expectSameInfo, expectSameList } from './same-answers.js';
import { serveNbdkit } from './servers.js';

const needs = requireCommands('nbdinfo', 'nbdkit', 'qemu-nbd', 'qemu-img', 'qemu-io', 'nbd-server');

describe.skipIf(needs.missing)(`nbd info and nbd list against nbdinfo ${needs.note}`, () => {
  it.each(exportCases)('tell the same of $title', async ({ serve }) => {
    const uri = await serve();
    await expectSameInfo(uri);
    await expectSameList(uri);
  });

  it('answer every question as nbdinfo does, by exit code', async () => {
    const open = await serveNbdkit(['memory', '1M']);
    const closed = await serveNbdkit([
      '-r',
      '--no-sr',
      '--filter=multi-conn',
      'memory',
      '1M',
      'multi-conn-mode=disable',
    ]);
    const abilities = ['connect', 'read', 'write', 'cache', 'df', 'fast-zero', 'flush', 'fua', 'multi-conn'];
    for (const { uri } of [open, closed]) {
      for (const what of [...abilities, 'trim', 'zero', 'structured-reply'])
        await expectSameAnswer(uri, '--can', what);
      for (const what of ['read-only', 'rotational', 'tls']) await expectSameAnswer(uri, '--is', what);
    }
  });

  it('neither yes nor no is the answer of a server that cannot be asked', async () => {
    await expectSameAnswer('nbd://127.0.0.1:1/', '--can', 'connect');
    const { uri } = await serveNbdkit(['memory', '1M']);
    expect((await runHoldfast(['nbd', 'info', '--can', 'fly', uri])).code).toBe(64);
  });

  it('nbd info --size is a bare number of bytes', async () => {
    const { uri } = await serveNbdkit(['memory', '1000001']);
    expect((await runHoldfast(['nbd', 'info', '--size', uri])).stdout).toBe('1000001\n');
  });
});

describe('an error of nbd info', () => {
  it('is a sentence that says what to do, and JSON where that is asked for', async () => {
    const { code, stderr } = await runHoldfast(['nbd', 'info', 'nbd://127.0.0.1:1/']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'holdfast: no connection to the NBD server at 127.0.0.1:1: nothing listens there (NBD_SERVER_UNREACHABLE)\n' +
        'Check that it runs, and that the host and port or the socket are right.\n',
    );
    const json = await runHoldfast(['nbd', 'info', '--json', 'nbd:/oops']);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'NBD_URI_INVALID' } });
  });

  it('about an export that is not there names the command that lists those that are', async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    const uri = holdfast.uri('unix').replace('disk.img', 'absent');
    for (const args of [
      ['info', uri],
      ['info', '--size', uri],
      ['map', uri],
      ['copy', uri, 'null:'],
    ]) {
      const { code, stderr } = await runHoldfast(['nbd', ...args]);
      expect(code).toBe(1);
      expect(stderr).toBe(
        'holdfast: the NBD server has no export "absent": see which it has by holdfast nbd list URI (NBD_OPTION_REFUSED)\n',
      );
    }
  });
});
