import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { KERNEL_MACHINE_MS, kernelMachineNeeds, startKernelMachine } from '../support/kernel-machine.js';
import { hasCommand, requirement } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { bringProgram, bringScript, clientWithIdentifier } from './guest-programs.js';
import { hookEnvironment, hooks } from './hook-config.js';

const newClient = clientWithIdentifier();
const all = { ...kernelMachineNeeds, flock: hasCommand('flock') };
const needs = requirement(all);
const needsNewClient = requirement({
  ...all,
  'nbd-client 3.27 or newer, in /usr/sbin or named by HOLDFAST_NBD_CLIENT': newClient !== undefined,
});

/** What every script begins with: the hook, and words to check with. */
function preparation(...programs: readonly string[]): string {
  return [
    'set -e\n',
    // The guest's own flock knows no waiting.
    ...['/usr/bin/flock', ...programs].map(bringProgram),
    bringScript(path.join(hooks, 'nbd-client/holdfast-nbd-attach'), '/brought/holdfast-nbd-attach'),
    'export PATH=/brought:$PATH\n',
    'hook() { holdfast-nbd-attach --host $HOST --port $PORT "$@"; }\n',
    'is() { [ "$2" = "$3" ] || { echo "$1: \\"$2\\" instead of \\"$3\\""; exit 1; }; echo "ok: $1"; }\n',
    'refused() { what=$1; shift; ! "$@" || { echo "$what: was not refused"; exit 1; }; echo "ok: $what"; }\n',
  ].join('');
}

/** Has a virtual machine run a script that ends with 0 when all is as it should be. */
async function inGuest(
  makeScript: (image: string) => Promise<string> | string,
  meanwhile: (holdfast: Holdfast) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const image = makeImage(16 * MIB);
  await using holdfast = await startHoldfast({ images: [image] });
  const file = path.join(scratchFolder(), 'guest.sh');
  writeFileSync(file, await makeScript(image));
  const machine = startKernelMachine(['-p', String(holdfast.port), '-n', 'disk.img', '-s', file]);
  await Promise.race([meanwhile(holdfast), machine.finished]);
  const { code, stdout } = await machine.finished;
  expect(stdout).toContain('GUEST_RC=0');
  expect(code).toBe(0);
  expect(holdfast.stderr()).not.toMatch(/ended \(/);
}

describe.skipIf(needs.missing)(`holdfast-nbd-attach and the kernel's client ${needs.note}`, () => {
  it(
    'D2 unverified: takes free slots one after the other, reads what is served, and gives them back',
    async () => {
      await inGuest(
        async (image) => `${preparation()}
is 'the first free slot' "$(hook --unverified $NAME)" /dev/nbd0
is 'the next free slot' "$(hook --unverified --read-only $NAME)" /dev/nbd1
is 'what is read' "$(sha256sum </dev/nbd1 | cut -d' ' -f1)" ${await sha256(image)}
is 'read-only' "$(cat /sys/block/nbd1/ro)" 1
refused 'an export that is not there' hook --unverified nothing
hook --detach --unverified /dev/nbd0
is 'the slot is empty' "$(cat /sys/block/nbd0/size)" 0
hook --detach --unverified /dev/nbd0
is 'the slot that was given back' "$(hook --unverified $NAME)" /dev/nbd0
if nbd-client -identifier probe -V 2>&1 | grep -q unrecognized; then
  refused 'a client that passes no identifier' hook $NAME
fi
`,
      );
    },
    KERNEL_MACHINE_MS + 60_000,
  );
});

describe.skipIf(needsNewClient.missing)(
  `holdfast-nbd-attach with an identifier ${needsNewClient.note}`,
  () => {
    it(
      'D1 the kernel knows the device by it: the same attach finds it, and a detach takes no other',
      async () => {
        await inGuest(
          () => `${preparation(newClient ?? '')}
uri=nbd://$HOST:$PORT/$NAME
is 'a free slot' "$(hook $NAME)" /dev/nbd0
is 'the identifier' "$(cat /sys/block/nbd0/backend)" $uri
is 'the same again' "$(hook $NAME)" /dev/nbd0
is 'another, by four connections' "$(hook --identifier 'the second' --connections 4 $NAME)" /dev/nbd1
is 'its identifier' "$(cat /sys/block/nbd1/backend)" 'the second'
sleep 5
mkfs.ext4 -q -F /dev/nbd0
mount -t ext4 /dev/nbd0 /mnt
refused 'a detach while it is mounted' hook --detach $NAME
is 'it is still there' "$(cat /sys/block/nbd0/backend)" $uri
umount /mnt
hook --detach $NAME
is 'the slot is empty' "$(cat /sys/block/nbd0/size)" 0
hook --detach $NAME
is 'the other is untouched' "$(cat /sys/block/nbd1/backend)" 'the second'
refused 'a detach by name of what has an identifier' hook --detach --unverified /dev/nbd1
is 'the slot that was given back' "$(hook $NAME)" /dev/nbd0
`,
          (holdfast) =>
            eventually(
              'five sessions: one, and four',
              async () => (await listSessions(holdfast)).length === 5,
              KERNEL_MACHINE_MS,
            ),
        );
      },
      KERNEL_MACHINE_MS + 60_000,
    );
  },
);

const needsNoModule = requirement({
  'nbd-client': hasCommand('nbd-client'),
  'a kernel without the nbd module': !existsSync('/sys/module/nbd'),
});

describe.skipIf(needsNoModule.missing)(`holdfast-nbd-attach and a Unix socket ${needsNoModule.note}`, () => {
  it('has nbd-client negotiate there, up to the kernel that is not there', async () => {
    const image = makeImage(16 * MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    const sysfs = scratchFolder();
    mkdirSync(path.join(sysfs, 'block/nbd0/holders'), { recursive: true });
    writeFileSync(path.join(sysfs, 'block/nbd0/size'), '0\n');
    const hook = path.join(hooks, 'nbd-client/holdfast-nbd-attach');
    const where = ['--unix', holdfast.layout.nbdSocket, '--connections', '2', '--unverified'];
    const { code, stdout, stderr } = await run(hook, [...where, 'disk.img'], {
      env: { ...hookEnvironment(holdfast.state), HOLDFAST_SYSFS: sysfs },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('size = 16MB');
    expect(stderr).toContain('could not connect the export "disk.img"');
  });
});
