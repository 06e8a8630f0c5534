import { expect, test } from 'vitest';
import { keepLocations } from './locations.js';

const places = {
  folder: '/checkout/app/dist/bundle',
  entries: new Map([['/checkout/app/dist/thread.js', 'thread.js']]),
};

function kept(source: string, file = '/checkout/lib/own.js'): string | undefined {
  return keepLocations(source, file, places)?.toString();
}

test('a module is told where it was written, from where the bundle is', () => {
  expect(kept('f(import.meta.url)')).toBe('f(__urlBesideBundle("../../../lib/own.js"))');
  expect(kept('f(import.meta.filename)')).toBe('f(__fileBesideBundle("../../../lib/own.js"))');
  expect(kept('f(import.meta.dirname)')).toBe('f(__fileBesideBundle("../../../lib"))');
});

test('a module of CommonJS is told so too, even if only its kind of module may look so', () => {
  expect(kept('f(__dirname, __filename)')).toBe(
    'f(__fileBesideBundle("../../../lib"), __fileBesideBundle("../../../lib/own.js"))',
  );
  expect(kept('if (f(__dirname)) return;')).toBe('if (f(__fileBesideBundle("../../../lib"))) return;');
});

test('what is only called so is left alone', () => {
  expect(kept('module.__dirname = { __filename: "__dirname" };')).toBeUndefined();
  expect(kept('import a from "a"; const __dirname = a; export default __dirname;')).toBeUndefined();
  expect(kept('export const found = import.meta.resolve("a");')).toBeUndefined();
});

test('what the bundle has as a file of its own is found beside it, all else where it was', () => {
  const file = '/checkout/app/dist/main.js';
  expect(kept(`new URL('./thread.js', import.meta.url)`, file)).toBe(
    `new URL("./thread.js", import.meta.url)`,
  );
  expect(kept(`new URL('./a.txt', import.meta.url)`, file)).toBe(
    `new URL('./a.txt', __urlBesideBundle("../main.js"))`,
  );
});

test('a path that a URL would read otherwise is written so that it does not', () => {
  expect(kept('f(import.meta.url)', '/checkout/a #b?/100%.js')).toBe(
    'f(__urlBesideBundle("../../../a%20%23b%3F/100%25.js"))',
  );
});
