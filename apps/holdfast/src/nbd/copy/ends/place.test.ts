import { expect, it } from 'vitest';
import { parsePlace } from './place.js';

it.each([
  ['nbd://localhost/disk', 'nbd'],
  ['NBDS+unix:///?socket=/s', 'nbd'],
  ['null:', 'null'],
  ['disk.img', 'file'],
  ['./nbd:disk', 'file'],
  ['/dev/sdb', 'file'],
  ['nbd.img', 'file'],
])('%s is of the kind %s', (text, kind) => {
  expect(parsePlace(text).kind).toBe(kind);
});

it('a URI that is none is told as such, and not taken for a file', () => {
  expect(() => parsePlace('nbd:localhost:10809')).toThrow(
    expect.objectContaining({ code: 'NBD_URI_INVALID' }),
  );
});

it.each(['', '-'])('"%s" is refused with the reason', (text) => {
  expect(() => parsePlace(text)).toThrow('a copy goes between files, block devices and NBD URIs');
});
