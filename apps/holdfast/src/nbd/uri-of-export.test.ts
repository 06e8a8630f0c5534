import { parseNbdUri } from '@holdfast/nbd-client';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { uriOfExport } from './uri-of-export.js';

it.each([
  'nbd://localhost',
  'nbd://[::1]:10810/x/y',
  'nbds+unix:///?socket=/a/b&tls-psk-file=/k',
  'nbd://h?',
])('whatever an export of %s is called, its URI leads to it on the same server', (uri) => {
  const name = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(name, (exportName) => {
      expect(parseNbdUri(uriOfExport(uri, exportName))).toEqual({ ...parseNbdUri(uri), exportName });
    }),
  );
});
