import { expect, it } from 'vitest';
import { jsonText } from './json-text.js';

const value = {
  size: 2n ** 63n - 1n,
  name: 'a "b"\n\u0000',
  list: [1, 'x', [], {}],
  none: undefined,
  flag: true,
  nothing: null,
};

it('writes 64-bit values as numbers with all digits, and leaves out what is undefined', () => {
  expect(jsonText(value)).toBe(
    '{"size": 9223372036854775807, "name": "a \\"b\\"\\n\\u0000", "list": [1, "x", [], {}], "flag": true, "nothing": null}',
  );
});

it('means the same with and without line breaks', () => {
  expect(JSON.parse(jsonText(value, 2))).toEqual(JSON.parse(jsonText(value)));
  expect(jsonText({ a: [1n] }, 2)).toBe('{\n  "a": [\n    1\n  ]\n}');
});
