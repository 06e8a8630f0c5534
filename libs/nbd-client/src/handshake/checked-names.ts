import { META_CONTEXT_QUERIES_MAX, STRING_BYTES_MAX } from '@holdfast/nbd-protocol';
import { NbdRequestError } from '../errors/request-error.js';

/** @throws NbdRequestError of a name that no string of the protocol can be (section "Conventions") */
export function checkExportName(name: string): void {
  checkString(name, 'the name of an export');
}

/** @throws NbdRequestError of queries that no server could take (section "Metadata querying") */
export function checkContextQueries(queries: readonly string[]): void {
  if (queries.length > META_CONTEXT_QUERIES_MAX) {
    throw new NbdRequestError(
      'too-long',
      `there are ${String(queries.length)} metadata contexts to ask for, and no more than ${String(META_CONTEXT_QUERIES_MAX)} can be`,
    );
  }
  for (const query of queries) {
    checkString(query, 'the name of a metadata context');
    if (query.indexOf(':') < 1) {
      throw new NbdRequestError(
        'bad-name',
        `"${query}" is no metadata context: one begins with a namespace and a colon, as base:allocation does`,
      );
    }
  }
}

function checkString(text: string, what: string): void {
  const fault = text.includes('\0')
    ? 'contains NUL'
    : !text.isWellFormed()
      ? 'is no well-formed Unicode'
      : Buffer.byteLength(text) > STRING_BYTES_MAX
        ? `is longer than ${String(STRING_BYTES_MAX)} bytes`
        : undefined;
  if (fault !== undefined) throw new NbdRequestError('bad-name', `${what} ${fault}`);
}
