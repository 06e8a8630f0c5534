import { HoldfastError } from '@holdfast/foundation';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPageToken, listAll, parsePage } from './paging.js';

const first = { pageSize: 0, pageToken: '' };

test('the first page has 100 items unless the caller says how many', () => {
  expect(parsePage(first)).toEqual({ pageSize: 100, after: undefined });
  expect(parsePage({ ...first, pageSize: 1 })).toEqual({ pageSize: 1, after: undefined });
  expect(parsePage({ ...first, pageSize: 1000 }).pageSize).toBe(1000);
});

test.each([-1, 1001, 2 ** 31 - 1, -(2 ** 31)])('Law 5 a page of %i items is refused', (pageSize) => {
  expect(() => parsePage({ pageSize, pageToken: '' })).toThrow(
    `page_size must be 0–1000, got ${String(pageSize)}`,
  );
});

test('a token is read back as the id it was made from', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }), (id) => {
      fc.pre(!/\p{Cc}/u.test(id) && Buffer.byteLength(id) <= 264);
      expect(parsePage({ pageSize: 1, pageToken: formatPageToken(id) }).after).toBe(id);
    }),
  );
  const longest = `sessions/${'x'.repeat(255)}`;
  expect(parsePage({ pageSize: 1, pageToken: formatPageToken(longest) }).after).toBe(longest);
  expect(formatPageToken(undefined)).toBe('');
});

test.each([
  ['no base64', '!!'],
  ['padded', 'YQ=='],
  ['of the other alphabet', '_-_+'],
  ['with bits that do not count', 'YR'],
  ['of bytes that are no UTF-8', Buffer.of(0xff).toString('base64url')],
  ['of a NUL', formatPageToken('a\0b')],
  ['with a blank before it', ` ${formatPageToken('a')}`],
  ['longer than any of ours', formatPageToken('x'.repeat(400))],
  ['of 3 MB', 'YWFh'.repeat(1_000_000)],
])('Law 5 a token %s is refused', (_what, pageToken) => {
  expect(() => parsePage({ pageSize: 1, pageToken })).toThrow('page_token is not one that this service gave');
});

test('Law 5 no token of any kind is more than refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (pageToken) => {
      try {
        const { after } = parsePage({ pageSize: 1, pageToken });
        expect(formatPageToken(after)).toBe(pageToken);
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError);
      }
    }),
    { numRuns: 300 },
  );
});

test('all pages are fetched, in order, until one says that it is the last', async () => {
  const asked: string[] = [];
  const pages: Record<string, { items: string[]; nextPageToken: string }> = {
    '': { items: ['a', 'b'], nextPageToken: 'second' },
    second: { items: [], nextPageToken: 'third' },
    third: { items: ['c'], nextPageToken: '' },
  };
  const all = await listAll((pageToken) => {
    asked.push(pageToken);
    return Promise.resolve(pages[pageToken] ?? { items: [], nextPageToken: '' });
  });
  expect(all).toEqual(['a', 'b', 'c']);
  expect(asked).toEqual(['', 'second', 'third']);
});
