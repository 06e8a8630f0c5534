import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { runHook, type HookOutcome } from './run-hook.js';

/** What sysfs tells of a slot; as left out, the slot is free. */
export interface Slot {
  readonly pid?: number;
  /** In sectors. */
  readonly size?: number;
  readonly inflight?: string;
  /** A device on top of it. */
  readonly holder?: string;
  readonly backend?: string;
}

/**
 * In the place of nbd-client: it writes down its arguments, and what the kernel would then tell in sysfs. Files in the
 * folder change its course: \`refuses\`, a server that is not there; \`steals\`, somebody who is faster by one slot;
 * \`reconfigures\`, somebody who takes the device over; \`old\` and \`old-kernel\`, which know no identifier.
 */
const CLIENT = `#!/bin/sh
set -eu
[ "$1" != --help ] || { echo "nbd-client version $(cat "$FAKE/version")"; exit 0; }
for word; do printf '%s\\t' "$word"; done >>"$FAKE/record"
printf '\\n' >>"$FAKE/record"
case " $* " in
  *" -V "*) if [ -e "$FAKE/old" ]; then echo "unrecognized option '-identifier'" >&2; fi; exit 1 ;;
  "  "*) exit 1 ;;
esac
if [ "$1" = -d ]; then
  slot=$FAKE/sys/block/\${2#/dev/}
  rm -f "$slot/pid" "$slot/backend"
  echo 0 >"$slot/size"
  exit 0
fi
echo "Negotiation: .."
slot='' backend=''
while [ $# -gt 0 ]; do
  case $1 in /dev/nbd[0-9]* | nbd[0-9]*) slot=$FAKE/sys/block/\${1#/dev/} ;; -identifier) backend=$2; shift ;; esac
  shift
done
[ ! -e "$FAKE/refuses" ] || { echo "Connection refused" >&2; exit 1; }
if [ -e "$FAKE/steals" ]; then rm "$FAKE/steals"; echo 7 >"$slot/pid"; echo "Device busy" >&2; exit 1; fi
echo 4711 >"$slot/pid"
echo 2048 >"$slot/size"
[ ! -e "$FAKE/reconfigures" ] || backend=other
[ -e "$FAKE/old-kernel" ] || echo "$backend" >"$slot/backend"
`;

/** A sysfs, a proc and an nbd-client of the test's own. */
export class FakeNbd {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'holdfast-nbd-'));

  constructor(slots: readonly Slot[]) {
    onTestFinished(() => {
      rmSync(this.folder, { recursive: true, force: true });
    });
    for (const folder of ['sys/block/sda', 'proc', 'bin'])
      mkdirSync(path.join(this.folder, folder), { recursive: true });
    this.file('proc/mounts', 'proc /proc proc rw 0 0');
    this.file('proc/swaps', 'Filename Type Size Used Priority');
    this.file('version', '3.27.2');
    this.file('bin/nbd-client', CLIENT);
    chmodSync(path.join(this.folder, 'bin/nbd-client'), 0o755);
    slots.forEach((slot, number) => {
      this.#makeSlot(`sys/block/nbd${String(number)}`, slot);
    });
  }

  /** Writes a file, from the folder of this. */
  file(name: string, content = ''): void {
    writeFileSync(path.join(this.folder, name), `${content}\n`);
  }

  backend(slot: number): string | undefined {
    const file = path.join(this.folder, `sys/block/nbd${String(slot)}/backend`);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : undefined;
  }

  /** The arguments of each call of nbd-client, but for the question what it can do. */
  calls(): string[][] {
    if (!readdirSync(this.folder).includes('record')) return [];
    const lines = readFileSync(path.join(this.folder, 'record'), 'utf8').split('\n');
    return lines
      .map((line) => line.split('\t').slice(0, -1))
      .filter((words) => words.length > 0 && !words.includes('-V'));
  }

  run(script: string, ...args: readonly string[]): Promise<HookOutcome> {
    return runHook(script, args, {
      env: {
        FAKE: this.folder,
        PATH: `${this.folder}/bin:${process.env['PATH'] ?? ''}`,
        HOLDFAST_CONFIG: '/nonexistent',
        HOLDFAST_SYSFS: `${this.folder}/sys`,
        HOLDFAST_PROC: `${this.folder}/proc`,
        HOLDFAST_RUN: `${this.folder}/run`,
      },
    });
  }

  #makeSlot(folder: string, { pid, size = 0, inflight = '       0        0', holder, backend }: Slot): void {
    mkdirSync(path.join(this.folder, folder, 'holders', holder ?? ''), { recursive: true });
    this.file(`${folder}/size`, String(size));
    this.file(`${folder}/inflight`, inflight);
    if (pid !== undefined) this.file(`${folder}/pid`, String(pid));
    if (backend !== undefined) this.file(`${folder}/backend`, backend);
  }
}
