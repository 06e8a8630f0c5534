import { fromServiceError, type GrpcFailure } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { recordingLogger } from '../testing/recording-logger.js';
import { GrpcErrorFilter } from './error-filter.js';

async function filtered(exception: unknown) {
  const { logger, lines } = recordingLogger();
  const failure: unknown = await firstValueFrom(new GrpcErrorFilter(logger).catch(exception)).catch(
    (error: unknown) => error,
  );
  const { code, details, metadata } = failure as GrpcFailure;
  const received = fromServiceError(
    Object.assign(new Error(details), { code, details, metadata }),
    'unix:/s',
  );
  return { received, lines };
}

test('an error of ours goes out as it is, and is no news for the log', async () => {
  const thrown = new HoldfastError('DEVICE_BUSY', 'an attach is under way', { device: 'a' });
  const { received, lines } = await filtered(thrown);
  expect(received).toMatchObject({ code: 'DEVICE_BUSY', message: thrown.message, metadata: { device: 'a' } });
  expect(lines).toEqual([]);
});

test.each([
  { what: 'an Error', thrown: new TypeError('x is undefined'), message: 'x is undefined' },
  { what: 'a string', thrown: 'oops', message: 'oops' },
  { what: 'nothing', thrown: undefined, message: 'undefined' },
])('$what thrown by a bug is INTERNAL without its stack, and is logged', async ({ thrown, message }) => {
  const { received, lines } = await filtered(thrown);
  expect(received.code).toBe('INTERNAL');
  expect(received.message).toBe(message);
  expect(JSON.stringify(received.metadata)).toBe('{}');
  expect(lines.map(({ msg }) => msg)).toEqual(['unexpected error in a call']);
});
