import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scratchFolder } from '../support/scratch-folder.js';

/**
 * Stands in for the programs of Xen: a folder for a key, a file `=` in it for its value. A relative key is one of
 * domain 0, and a write of several keys is one transaction and one line of the record, as with xenstore-write(1).
 */
const PROGRAM = `#!/bin/sh
set -eu
at() { case $1 in /*) printf '%s' "$XENSTORE_ROOT$1" ;; *) printf '%s' "$XENSTORE_ROOT/local/domain/0/$1" ;; esac; }
command=\${0##*/xenstore-}
case "$command $*" in *"\${XENSTORE_REFUSES:-nothing}"*) echo "could not $command" >&2; exit 1 ;; esac
printf '%s' "$command" >>"$XENSTORE_ROOT/record"
for word; do printf '\\t%s' "$word" >>"$XENSTORE_ROOT/record"; done
printf '\\n' >>"$XENSTORE_ROOT/record"
case $command in
  read) for key; do cat "$(at "$key")/=" || { echo "couldn't read path $key" >&2; exit 1; }; done ;;
  write) while [ $# -gt 0 ]; do mkdir -p "$(at "$1")"; printf '%s\\n' "$2" >"$(at "$1")/="; shift 2; done ;;
  list) [ -d "$(at "$1")" ] || { echo "could not list path $1" >&2; exit 1; }; ls "$(at "$1")" | grep -v '^=$' || : ;;
  rm) for key; do [ -d "$(at "$key")" ] || { echo "could not remove path $key" >&2; exit 1; }; rm -r "$(at "$key")"; done ;;
esac
`;

/** A xenstore of the test's own, and the record of what was done to it. */
export class Xenstore {
  readonly root = scratchFolder();
  /** Folder with `xenstore-read` and its companions. */
  readonly programs = scratchFolder();

  constructor() {
    const program = path.join(this.programs, 'program');
    writeFileSync(program, PROGRAM);
    chmodSync(program, 0o755);
    for (const name of ['read', 'write', 'list', 'rm']) {
      symlinkSync(program, path.join(this.programs, `xenstore-${name}`));
    }
  }

  /** What a toolstack has written when it runs the block script. @returns XENBUS_PATH */
  disk(
    domain: number,
    { target, mode = 'w', id = 51712 }: { target: string; mode?: string; id?: number },
  ): string {
    const key = `/local/domain/0/backend/vbd/${String(domain)}/${String(id)}`;
    this.write(`${key}/params`, target);
    this.write(`${key}/mode`, mode);
    this.write(`${key}/frontend-id`, String(domain));
    this.write(`/local/domain/${String(domain)}/vm`, `/vm/guest-${String(domain)}`);
    return key;
  }

  write(key: string, value: string): void {
    mkdirSync(this.root + key, { recursive: true });
    writeFileSync(`${this.root}${key}/=`, `${value}\n`);
  }

  /** Undefined when there is no such key. */
  read(key: string): string | undefined {
    const file = `${this.root}${key}/=`;
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : undefined;
  }

  /** The writes so far, each the keys that one transaction wrote, without the path before them. */
  transactions(): string[][] {
    const file = path.join(this.root, 'record');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    return lines
      .filter((line) => line.startsWith('write\t'))
      .map((line) =>
        line
          .split('\t')
          .slice(1)
          .filter((_word, at) => at % 2 === 0)
          .map((key) => path.basename(key)),
      );
  }
}
