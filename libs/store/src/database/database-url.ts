import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';

export type DatabaseKind = 'sqlite' | 'postgresql';

/** Where the records are. */
export type DatabaseLocation =
  { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgresql'; readonly url: string };

/**
 * Understands `file:/absolute/path.db` (taken literally: no percent escapes, no parameters) and `postgresql://…` (the
 * parameters of node-postgres, `?host=/run/postgresql` for a Unix socket among them). The URL is never repeated in an
 * error, since it may carry a password.
 *
 * @throws HoldfastError INVALID_SETTING
 */
export function parseDatabaseUrl(url: string): DatabaseLocation {
  if (url.startsWith('file:')) {
    const file = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
    // Two slashes would begin the name of a host.
    if (!path.isAbsolute(file) || file.startsWith('//') || file.includes('\0')) {
      throw invalid('a file: URL needs an absolute path, as in file:/var/lib/holdfast/holdfast.db');
    }
    return { kind: 'sqlite', path: path.normalize(file) };
  }
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return { kind: 'postgresql', url };
  throw invalid('it must be file:/absolute/path.db or postgresql://user@host/database');
}

function invalid(reason: string): HoldfastError {
  return new HoldfastError('INVALID_SETTING', `The database URL cannot be understood: ${reason}.`, {
    setting: 'database url',
  });
}
