import { HoldfastError } from '@holdfast/foundation';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attachmentName, deviceName, exportName, leaseName, sessionName } from './resource-names.js';

const anyId = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((id) => !/[\p{Cc}/]/u.test(id));
const collections = [
  ['devices', deviceName],
  ['exports', exportName],
  ['sessions', sessionName],
] as const;

function refused(parse: () => unknown): HoldfastError {
  try {
    parse();
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'INVALID_ARGUMENT') return error;
    throw error;
  }
  throw new Error('it was accepted');
}

test.each(collections)('a name in %s is read back as it was written', (segment, name) => {
  fc.assert(
    fc.property(anyId, (id) => {
      expect(name.format(id)).toBe(`${segment}/${id}`);
      expect(name.parse(name.format(id))).toBe(id);
    }),
  );
});

test('the name of a lease is its number, a positive signed 64-bit one', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), (number) => {
      expect(leaseName.parse(leaseName.format(number))).toBe(number);
    }),
    { examples: [[2n ** 63n - 1n]] },
  );
});

test('the name of an attachment holds both of its ids', () => {
  fc.assert(
    fc.property(anyId, anyId, (device, attachment) => {
      const name = attachmentName.format(device, attachment);
      expect(attachmentName.parse(name)).toEqual({ device, attachment });
    }),
  );
});

test.each([
  '',
  '/',
  'devices',
  'devices/',
  'devices/a/b',
  'Devices/a',
  ' devices/a',
  'exports/a',
  'devices/\0',
])('Law 5 %j is no name of a device', (name) => {
  const error = refused(() => deviceName.parse(name, 'export.device'));
  expect(error.message).toMatch(/^export\.device must /);
  expect(error.metadata).toEqual({ field: 'export.device' });
});

const tooLarge = ['9223372036854775808', '9999999999999999999', '99999999999999999999'];
test.each(['0', '01', '-1', '+1', '1.0', '0x1', '1e3', ' 1', '1 ', '١', '', ...tooLarge])(
  'Law 7 %j is no number of a lease',
  (number) => {
    expect(refused(() => leaseName.parse(`leases/${number}`)).metadata).toEqual({ field: 'name' });
  },
);

test.each([
  'devices/a',
  'devices/a/attachments',
  'devices/a/attachments/',
  'devices//attachments/b',
  'devices/a/attachments/b/c',
  'devices/a/b/c',
  'a/attachments/b',
])('Law 5 %j is no name of an attachment', (name) => {
  refused(() => attachmentName.parse(name));
});

test('Law 5 no text of any kind is more than refused', () => {
  const parsers = [
    deviceName.parse,
    exportName.parse,
    sessionName.parse,
    leaseName.parse,
    attachmentName.parse,
  ];
  fc.assert(
    fc.property(fc.constantFrom(...parsers), fc.string({ unit: 'binary' }), (parse, text) => {
      for (const name of [text, `devices/${text}`, `leases/${text}`]) {
        try {
          parse(name, 'name');
        } catch (error) {
          expect(error).toBeInstanceOf(HoldfastError);
        }
      }
    }),
    { numRuns: 300 },
  );
});
