import { beforeAll, describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { nbdsh, requireNbdsh, runNbdsh } from '../support/nbdsh.js';
import { transports } from '../support/ready-line.js';
import { illegalAnswers, illegalScript } from './illegal-requests.js';

describe.skipIf(requireNbdsh.missing).each(engines)(
  `nbdsh with the $engine engine ${requireNbdsh.note}`,
  ({ env }) => {
    let holdfast: Holdfast;

    beforeAll(async () => {
      holdfast = await startHoldfast({ images: [makeImage(128 * MIB, { fill: 'empty' })], env });
    });

    describe.each(transports)('over %s', (transport) => {
      it('writes, reads, trims, zeroes and flushes', async () => {
        await nbdsh(
          holdfast.uri(transport),
          `
assert h.get_size() == 128 << 20
h.pwrite(b"holdfast" * 512, 12288, nbd.CMD_FLAG_FUA)
assert h.pread(4096, 12288) == b"holdfast" * 512
assert h.pread(3, 12289) == b"old"
h.zero(4096, 12288)
assert h.pread(4096, 12288) == bytes(4096)
h.zero(4096, 12288, nbd.CMD_FLAG_NO_HOLE)
h.trim(4096, 0)
h.flush()
h.shutdown()
`,
        );
      });

      it('T4 gets the errors that the specification names, and the connection goes on', async () => {
        const { stdout } = await nbdsh(
          holdfast.uri(transport),
          `
import errno
h.set_strict_mode(0)
def refused(what, call):
    try: call()
    except nbd.Error as error: print(what, errno.errorcode[error.errnum])
    else: print(what, "was allowed")
end = h.get_size()
refused("read", lambda: h.pread(512, end))
refused("write", lambda: h.pwrite(bytes(512), end - 256))
refused("trim", lambda: h.trim(512, end))
refused("zero", lambda: h.zero(512, end))
assert h.pread(512, end - 512) == bytes(512)
`,
        );
        expect(stdout.trim().split('\n')).toEqual([
          'read EINVAL',
          'write ENOSPC',
          'trim EINVAL',
          'zero ENOSPC',
        ]);
      });

      it.each(['simple', 'structured'] as const)(
        'T2 T4 T5 T7 T11 without its strict mode gets the errors of the rules with %s replies, and goes on',
        async (mode) => {
          const { stdout } = await runNbdsh(illegalScript(holdfast.uri(transport), mode));
          expect(stdout.trim().split('\n')).toEqual(illegalAnswers(mode));
        },
      );

      it('T16 has its cookies back with the right data, 64 requests in flight', async () => {
        await nbdsh(
          holdfast.uri(transport),
          `
for n in range(64):
    h.pwrite(bytes([n + 1]) * 4096, n * 4096)
buffers = [nbd.Buffer(4096) for n in range(64)]
cookies = [h.aio_pread(buffer, n * 4096) for n, buffer in enumerate(buffers)]
while cookies:
    cookies = [c for c in cookies if not h.aio_command_completed(c)]
    if cookies: h.poll(-1)
for n, buffer in enumerate(buffers):
    assert buffer.to_bytearray() == bytes([n + 1]) * 4096
`,
        );
      });

      it('T6 trims and zeroes more than the largest payload at once', async () => {
        await nbdsh(
          holdfast.uri(transport),
          `
h.pwrite(b"x" * 4096, 100 << 20)
h.zero(128 << 20, 0)
assert h.pread(4096, 100 << 20) == bytes(4096)
h.trim(128 << 20, 0)
h.flush()
`,
        );
      });
    });
  },
);
