import { parseNbdUri, type ExportInfo, type NbdConnection } from '@holdfast/nbd-client';
import { expect, it } from 'vitest';
import { isSameExport, type OpenExport } from './same-export.js';

/** A connection of which only the names are looked at. */
function open(uri: string, canonicalName?: string): OpenExport {
  const parsed = parseNbdUri(uri);
  const exportInfo: Partial<ExportInfo> = { name: parsed.exportName, canonicalName };
  return { uri: parsed, connection: { exportInfo } as unknown as NbdConnection };
}

it.each([
  [open('nbd://localhost/a'), open('nbd://127.0.0.1:10809/a'), true],
  [open('nbd://[::1]/a'), open('nbds://LOCALHOST/a'), true],
  [open('nbd://localhost/', 'a'), open('nbd://localhost/a'), true],
  [open('nbd://localhost/a'), open('nbd://localhost/b'), false],
  [open('nbd://localhost/a'), open('nbd://localhost:10810/a'), false],
  [open('nbd://localhost/a'), open('nbd://example.org/a'), false],
  [open('nbd+unix:///a?socket=/tmp/../tmp/s'), open('nbd+unix:///a?socket=/tmp/../tmp/s'), true],
  [open('nbd+unix:///a?socket=/tmp/s'), open('nbd://localhost/a'), false],
])('case %#: one export is recognised by address and name', (a, b, isSame) => {
  expect(isSameExport(a, b)).toBe(isSame);
});
