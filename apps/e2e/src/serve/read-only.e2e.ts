import { chmodSync } from 'node:fs';
import { Command, NbdError, TransmissionFlag } from '@holdfast/nbd-protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/command.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { requireNbdsh, runNbdsh } from '../support/nbdsh.js';
import { openFds } from '../support/process-facts.js';
import { requireCommands } from '../support/requirements.js';

const nbdinfo = requireCommands('nbdinfo');

describe.each(engines)('serve --read-only with the $engine engine', ({ env }) => {
  let holdfast: Holdfast;
  let image: string;

  beforeAll(async () => {
    image = makeImage(MIB);
    chmodSync(image, 0o444);
    holdfast = await startHoldfast({ images: [image], args: ['--read-only'], env });
  });

  it('T4 T18 refuses everything that would write with EPERM, and goes on', async () => {
    const before = await sha256(image);
    const session = await NbdSession.open(holdfast, 'disk.img');
    expect(session.info.transmissionFlags & TransmissionFlag.READ_ONLY).not.toBe(0);

    const there = { offset: 4096, length: 4096 };
    expect((await session.write(4096, Buffer.alloc(4096))).error).toBe(NbdError.EPERM);
    expect((await session.write(4096, Buffer.alloc(4096), { fua: true })).error).toBe(NbdError.EPERM);
    expect((await session.request(Command.TRIM, there)).error).toBe(NbdError.EPERM);
    expect((await session.request(Command.WRITE_ZEROES, there)).error).toBe(NbdError.EPERM);

    expect(await session.read(4096, 4096)).toMatchObject({ error: 0 });
    expect((await session.flush()).error).toBe(0);
    expect(await sha256(image)).toBe(before);
  });

  it.skipIf(requireNbdsh.missing)(
    `T18 nbdsh without its strict mode may not write ${requireNbdsh.note}`,
    async () => {
      const { stdout } = await runNbdsh(`
import errno
h.connect_uri("${holdfast.uri('unix')}")
assert h.is_read_only()
h.set_strict_mode(0)
for what, call in [
    ("write", lambda: h.pwrite(bytes(512), 0)),
    ("trim", lambda: h.trim(512, 0)),
    ("zero", lambda: h.zero(512, 0)),
]:
    try: call()
    except nbd.Error as error: print(what, errno.errorcode[error.errnum])
h.pread(512, 0)
`);
      expect(stdout.trim().split('\n')).toEqual(['write EPERM', 'trim EPERM', 'zero EPERM']);
    },
  );

  it('holds the image open', () => {
    expect(openFds(holdfast.pidOf('io-worker'))).toContain(image);
    expect(openFds(holdfast.pidOf('device-registry'))).toContain(image);
  });

  it.skipIf(nbdinfo.missing)(`nbdinfo says so ${nbdinfo.note}`, async () => {
    const uri = holdfast.uri('tcp');
    expect((await run('nbdinfo', ['--is', 'read-only', uri])).code).toBe(0);
    for (const what of ['write', 'trim', 'zero']) {
      expect((await run('nbdinfo', ['--can', what, uri])).code).toBe(2);
    }
  });
});
