import { HoldfastError } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import {
  asStoreError,
  isBusy,
  isConflict,
  isReferenceViolation,
  isUniqueViolation,
} from './database-error.js';

/** As Prisma's adapters throw. */
function adapterError(cause: Record<string, string>) {
  return Object.assign(new Error(cause['kind']), { name: 'DriverAdapterError', cause });
}

/** As Prisma's client throws what its adapter threw. */
function clientError(code: string, cause: Record<string, string>) {
  const message = `\nInvalid \`tx.lease.create()\` invocation in\n/a/b.ts:1:1\n\nwhat happened`;
  return Object.assign(new Error(message), { code, meta: { driverAdapterError: adapterError(cause) } });
}

/** As node and the drivers throw. */
function systemError(code: string, message = 'what happened') {
  return Object.assign(new Error(message), { code });
}

const full = { kind: 'sqlite', originalCode: 'SQLITE_FULL', originalMessage: 'database or disk is full' };

describe('what a database throws', () => {
  test('is told by its code, whichever database it is', () => {
    expect(isUniqueViolation(clientError('P2002', { kind: 'UniqueConstraintViolation' }))).toBe(true);
    expect(isReferenceViolation(clientError('P2003', { kind: 'ForeignKeyConstraintViolation' }))).toBe(true);
    expect(isConflict(clientError('P2034', { kind: 'TransactionWriteConflict' }))).toBe(true);
    expect(isBusy(adapterError({ kind: 'SocketTimeout', originalCode: 'SQLITE_BUSY_SNAPSHOT' }))).toBe(true);
    expect(isBusy(systemError('SQLITE_BUSY'))).toBe(true);
    for (const is of [isUniqueViolation, isReferenceViolation, isConflict, isBusy]) {
      for (const other of [clientError('P2039', full), new Error('x'), undefined, null, 'P2002']) {
        expect(is(other)).toBe(false);
      }
    }
  });

  const cases: [string, unknown, string][] = [
    ['a full disk', clientError('P2039', full), 'DATABASE_FAILED'],
    ['a full disk at the commit', adapterError(full), 'DATABASE_FAILED'],
    [
      'a full disk of PostgreSQL',
      clientError('P2039', { kind: 'postgres', originalCode: '53100' }),
      'DATABASE_FAILED',
    ],
    ['an I/O error', adapterError({ kind: 'sqlite', originalCode: 'SQLITE_IOERR_FSYNC' }), 'DATABASE_FAILED'],
    ['a damaged file', systemError('SQLITE_NOTADB'), 'DATABASE_FAILED'],
    ['no server', clientError('P1001', { kind: 'DatabaseNotReachable' }), 'DATABASE_UNAVAILABLE'],
    ['no socket of a server', systemError('ENOENT'), 'DATABASE_UNAVAILABLE'],
    [
      'a server that stops',
      clientError('P2039', { kind: 'postgres', originalCode: '57P01' }),
      'DATABASE_UNAVAILABLE',
    ],
    ['a server that starts', systemError('57P03'), 'DATABASE_UNAVAILABLE'],
    ['a lost connection', new Error('Connection terminated unexpectedly'), 'DATABASE_UNAVAILABLE'],
    [
      'a server without an answer',
      new Error('timeout exceeded when trying to connect'),
      'DATABASE_UNAVAILABLE',
    ],
    [
      'another process that writes for ever',
      adapterError({ kind: 'SocketTimeout', originalCode: 'SQLITE_BUSY' }),
      'DATABASE_UNAVAILABLE',
    ],
    ['a transaction that took too long', systemError('P2028'), 'DATABASE_UNAVAILABLE'],
    ['a wrong password', systemError('28P01'), 'INVALID_SETTING'],
    ['a database that is not there', systemError('3D000'), 'INVALID_SETTING'],
  ];
  test.each(cases)('%s becomes an error with a way out', (_, error, code) => {
    expect(asStoreError(error)).toBeInstanceOf(HoldfastError);
    expect(asStoreError(error)).toMatchObject({ code, cause: error });
  });

  test('says what the database said, without the excerpt of our source', () => {
    expect(asStoreError(clientError('P2039', full))).toMatchObject({
      message: 'The database failed: database or disk is full (SQLITE_FULL)',
      metadata: { database_code: 'SQLITE_FULL' },
    });
    expect(asStoreError(clientError('P1001', { kind: 'DatabaseNotReachable' }))).toMatchObject({
      message: 'The database failed: what happened (DatabaseNotReachable)',
    });
  });

  test('stays itself when it is ours already, or a bug', () => {
    const ours = new HoldfastError('DEVICE_BUSY', 'busy');
    const bug = clientError('P2022', { kind: 'ColumnNotFound' });
    const check = clientError('P2039', { kind: 'postgres', originalCode: '23514' });
    for (const error of [ours, bug, check, new TypeError('x'), 'text', undefined]) {
      expect(asStoreError(error)).toBe(error);
    }
  });
});
