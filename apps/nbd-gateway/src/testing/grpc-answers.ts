import { ServerCredentials, type sendUnaryData, type Server, type ServerUnaryCall } from '@grpc/grpc-js';
import { toGrpcFailure } from '@holdfast/contracts';
import { HoldfastError, messageOf } from '@holdfast/foundation';

/** A unary handler from a function: what it throws goes out as a service sends it. */
export function answering<Request, Response>(act: (request: Request) => Promise<Response> | Response) {
  return ({ request }: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>): void => {
    Promise.resolve()
      .then(() => act(request))
      .then(
        (response) => {
          answer(null, response);
        },
        (error: unknown) => {
          const ours =
            error instanceof HoldfastError ? error : new HoldfastError('INTERNAL', messageOf(error));
          answer(toGrpcFailure(ours));
        },
      );
  };
}

export async function bind(server: Server, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
