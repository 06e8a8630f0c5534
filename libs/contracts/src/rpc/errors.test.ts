import path from 'node:path';
import { errorCatalogue, HoldfastError, type ErrorCode } from '@holdfast/foundation';
import { Metadata, status, type sendUnaryData, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorInfo } from '../generated/google/rpc/error_details.js';
import { Status } from '../generated/google/rpc/status.js';
import { workerV1 } from '../index.js';
import { startServer } from '../testing/grpc-server.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { createClient } from './client.js';
import { fromServiceError, toGrpcFailure, type GrpcFailure } from './errors.js';

const DETAILS = 'grpc-status-details-bin';

/** What a caller receives when a real server answers with `failure`. */
async function acrossTheWire(failure: GrpcFailure): Promise<HoldfastError> {
  const address = `unix:${path.join(temporaryFolder(), 's')}`;
  await startServer(address, workerV1.WorkerServiceService, {
    getWorker: (_call: unknown, answer: sendUnaryData<workerV1.Worker>) => {
      answer(failure);
    },
  });
  const client = createClient(workerV1.WorkerServiceService, address);
  onTestFinished(client.close);
  return client.getWorker({}, { deadlineMs: 3_000 }).then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as HoldfastError,
  );
}

function detailsOf(failure: GrpcFailure): Status {
  const [bytes, ...more] = failure.metadata.get(DETAILS);
  expect(more).toEqual([]);
  return Status.decode(bytes as Buffer);
}

describe('an error of ours', () => {
  test.each(Object.keys(errorCatalogue) as ErrorCode[])('%s carries exactly one ErrorInfo', (code) => {
    const failure = toGrpcFailure(new HoldfastError(code, 'what happened', { device: 'a' }));
    expect(status[failure.code]).toBe(errorCatalogue[code].status);
    const { details } = detailsOf(failure);
    expect(details.map(({ typeUrl }) => typeUrl)).toEqual(['type.googleapis.com/google.rpc.ErrorInfo']);
    const info = ErrorInfo.decode(details[0]?.value ?? new Uint8Array());
    expect(info).toEqual({ reason: code, domain: 'holdfast', metadata: { device: 'a' } });
  });

  test('comes back as it was thrown: code, sentence and facts', async () => {
    const thrown = new HoldfastError('DEVICE_IN_USE', 'used by "Jürgen’s disk"', { sessions: 'a, b' });
    const received = await acrossTheWire(toGrpcFailure(thrown));
    expect(received).toBeInstanceOf(HoldfastError);
    const { code, message, metadata } = thrown;
    expect(received).toMatchObject({ code, message, metadata });
  });

  test.each([200_000, 3_000_000])(
    'Law 5 that quotes %i bytes of a caller still reaches it, both ends legible',
    async (length) => {
      const quoted = `name must not hold ${'ü'.repeat(length)} (the reason)`;
      const thrown = new HoldfastError('INVALID_ARGUMENT', quoted, { field: 'name', value: quoted });
      const received = await acrossTheWire(toGrpcFailure(thrown));
      expect(received.code).toBe('INVALID_ARGUMENT');
      expect(received.message).toMatch(/^name must not hold ü+ … ü+ \(the reason\)$/);
      expect(received.message.length).toBeLessThan(2_100);
      expect(received.metadata['field']).toBe('name');
    },
  );

  test('Law 5 is cut without breaking a character, which gRPC could not send', async () => {
    for (const shift of ['', 'x']) {
      const thrown = new HoldfastError('INTERNAL', shift + '\u{1f4be}'.repeat(3_000));
      const { message } = await acrossTheWire(toGrpcFailure(thrown));
      expect(message.isWellFormed()).toBe(true);
    }
  });
});

describe('an error of somebody else', () => {
  function serviceError(code: status, details: Uint8Array | undefined): ServiceError {
    const metadata = new Metadata();
    if (details !== undefined) metadata.set(DETAILS, Buffer.from(details));
    return Object.assign(new Error('told by grpc'), { code, details: 'told', metadata });
  }

  const infoOf = (reason: string, domain: string) =>
    Status.encode(
      Status.fromPartial({
        details: [
          {
            typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo',
            value: ErrorInfo.encode(ErrorInfo.fromPartial({ reason, domain })).finish(),
          },
        ],
      }),
    ).finish();

  test.each([
    { what: 'of another domain', details: infoOf('DEVICE_BUSY', 'example.com') },
    { what: 'of an unknown code', details: infoOf('toString', 'holdfast') },
    { what: 'without details', details: undefined },
    { what: 'with empty details', details: new Uint8Array() },
  ])('$what is INTERNAL', ({ details }) => {
    expect(fromServiceError(serviceError(status.NOT_FOUND, details), 'unix:/a').code).toBe('INTERNAL');
  });

  test.each([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED])(
    'of gRPC status %i is SERVICE_UNAVAILABLE',
    (code) => {
      expect(fromServiceError(serviceError(code, undefined), 'unix:/a').code).toBe('SERVICE_UNAVAILABLE');
    },
  );

  test('Law 5 with details of any bytes is an error and nothing worse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const error = fromServiceError(serviceError(status.INTERNAL, bytes), 'unix:/a');
        expect(error).toBeInstanceOf(HoldfastError);
      }),
      { numRuns: 2_000, examples: [[Uint8Array.of(0x1a, 0xff)], [Uint8Array.of(0xff, 0xff, 0xff)]] },
    );
  });
});
