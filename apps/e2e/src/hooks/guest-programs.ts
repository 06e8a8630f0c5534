import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Lines of shell that make a file, which may be a program, out of its bytes. */
function makeFile(place: string, content: Uint8Array): string {
  const text = Buffer.from(content).toString('base64').replaceAll(/.{76}/g, '$&\n');
  return `base64 -d >${place} <<'BASE64'\n${text}\nBASE64\nchmod 755 ${place}\n`;
}

/** Lines of shell that put a script into the virtual machine. */
export function bringScript(file: string, place: string): string {
  return makeFile(place, readFileSync(file));
}

/** Lines of shell that put a program of this machine, with the libraries that it needs, at /brought/NAME. */
export function bringProgram(file: string): string {
  const name = path.basename(file);
  const libraries = execFileSync('ldd', [file], { encoding: 'utf8' }).match(/\/\S+\.so\S*/g) ?? [];
  const lines = libraries
    .filter((library) => !library.includes('ld-linux'))
    .map((library) => makeFile(`/brought/lib/${path.basename(library)}`, readFileSync(library)));
  const wrapper = `#!/bin/sh\nLD_LIBRARY_PATH=/brought/lib exec /brought/${name}.program "$@"\n`;
  return [
    'mkdir -p /brought/lib\n',
    ...lines,
    makeFile(`/brought/${name}.program`, readFileSync(file)),
    makeFile(`/brought/${name}`, Buffer.from(wrapper)),
  ].join('');
}

/** Path of an nbd-client that can tell the kernel an identifier; undefined when there is none. */
export function clientWithIdentifier(): string | undefined {
  const client = process.env['HOLDFAST_NBD_CLIENT'] ?? '/usr/sbin/nbd-client';
  const { error, stderr } = spawnSync(client, ['-identifier', 'probe', '-V'], { encoding: 'utf8' });
  return error !== undefined || stderr.includes('unrecognized option') ? undefined : client;
}
