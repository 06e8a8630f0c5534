import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TlsChoice } from './tls-choice.js';
import { checkTlsFiles } from './tls-files.js';

let folder: string;
const at = (name: string) => path.join(folder, name);

beforeEach(() => {
  folder = temporaryFolder();
  for (const name of ['ca-cert.pem', 'server-cert.pem', 'server-key.pem', 'keys.psk']) {
    writeFileSync(at(name), 'what is in it the gateway judges', { mode: 0o600 });
  }
});

const choice = {
  mode: 'required',
  certificates: undefined,
  pskFile: undefined,
  minimumVersion: undefined,
} as const;

function check(ofClients: 'off' | 'optional' | 'required' = 'required', from = folder): void {
  checkTlsFiles({ ...choice, certificates: { folder: from, ofClients } });
}

const checkPsk = (pskFile: string) => {
  checkTlsFiles({ ...choice, pskFile } satisfies TlsChoice);
};

describe('a folder of certificates', () => {
  test('with all that is needed is taken', () => {
    expect(() => {
      check();
    }).not.toThrow();
  });

  test('that is not there is refused, with a way to have one', () => {
    expect(() => {
      check('required', at('absent'));
    }).toThrow(`--tls-certificates: there is no folder ${at('absent')}; make one with "holdfast tls init"`);
  });

  test.each(['ca-cert.pem', 'server-cert.pem', 'server-key.pem'])(
    'without %s is refused by its name',
    (name) => {
      rmSync(at(name));
      expect(() => {
        check();
      }).toThrow(
        `--tls-certificates: ${folder} has no ${name}; it needs server-cert.pem, server-key.pem and ca-cert.pem`,
      );
    },
  );

  test('needs no ca-cert.pem where clients are not asked for certificates', () => {
    rmSync(at('ca-cert.pem'));
    expect(() => {
      check('off');
    }).not.toThrow();
    expect(() => {
      check('optional');
    }).toThrow('--tls-client-certificates off');
  });

  test('that is the whole of what tls init made is refused, and the right one named', () => {
    const made = at('tls');
    mkdirSync(path.join(made, 'server'), { recursive: true });
    writeFileSync(path.join(made, 'server/server-cert.pem'), '');
    expect(() => {
      check('required', made);
    }).toThrow(`${made} has no server-cert.pem; ${made}/server has: give that one`);
  });

  test.each([0o604, 0o644, 0o602])('Law 8 with a key of mode %o is refused, with what to do', (mode) => {
    chmodSync(at('server-key.pem'), mode);
    expect(() => {
      check();
    }).toThrow(/server-key\.pem can be read or changed by every user .* run chmod o= /);
  });

  test('may have a key for a group', () => {
    chmodSync(at('server-key.pem'), 0o640);
    expect(() => {
      check();
    }).not.toThrow();
  });
});

describe('a file of keys', () => {
  test('that others cannot read is taken', () => {
    expect(() => {
      checkPsk(at('keys.psk'));
    }).not.toThrow();
  });

  test('that is not there, is a folder, or open to others is refused', () => {
    expect(() => {
      checkPsk(at('absent'));
    }).toThrow(`--tls-psk: there is no file ${at('absent')}; make one with`);
    expect(() => {
      checkPsk(folder);
    }).toThrow(`--tls-psk: ${folder} is not a file`);
    chmodSync(at('keys.psk'), 0o644);
    expect(() => {
      checkPsk(at('keys.psk'));
    }).toThrow('(mode 0644): run chmod o= ');
  });
});
