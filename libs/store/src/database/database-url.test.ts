import { describe, expect, test } from 'vitest';
import { parseDatabaseUrl } from './database-url.js';

describe('a database URL', () => {
  test('of a file is an absolute path, taken literally', () => {
    const pathOf = (url: string) => parseDatabaseUrl(url);
    expect(pathOf('file:/var/lib/a.db')).toEqual({ kind: 'sqlite', path: '/var/lib/a.db' });
    expect(pathOf('file:///var/lib/a.db')).toEqual({ kind: 'sqlite', path: '/var/lib/a.db' });
    expect(pathOf('file:/a b/%20?x#y.db')).toEqual({ kind: 'sqlite', path: '/a b/%20?x#y.db' });
  });

  test('of PostgreSQL is left as it is', () => {
    for (const url of [
      'postgresql://u:p@h:5432/d?sslmode=require',
      'postgres://u@localhost/d?host=/run/pg',
    ]) {
      expect(parseDatabaseUrl(url)).toEqual({ kind: 'postgresql', url });
    }
  });

  test('of anything else is refused, without repeating a password', () => {
    const wrong = [
      '',
      'file:',
      'file:relative.db',
      'file:./relative.db',
      'file://host/a.db',
      'file:/a\0.db',
      '/a.db',
      ':memory:',
      'mysql://user:secret@h/d',
      'postgresql:user:secret',
      'postgresql://user:secret@h:port/d',
    ];
    for (const url of wrong) {
      const parse = () => parseDatabaseUrl(url);
      expect(parse, url).toThrow(expect.objectContaining({ code: 'INVALID_SETTING' }) as Error);
      expect(parse).not.toThrow('secret');
    }
  });
});
