import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ClientReadableStream,
} from '@grpc/grpc-js';
import type { MethodDefinition, RequestOf, ResponseOf, ServiceDefinition } from './definition.js';
import { fromServiceError } from './errors.js';

/** A call that hangs is a bug elsewhere; this bounds what it costs here. */
const DEADLINE_MS_DEFAULT = 15_000;

/** The largest answer is a page of 1000 devices with the longest paths and error messages, some 13 KiB each. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export interface CallOptions {
  /** Milliseconds until the call fails with SERVICE_UNAVAILABLE; 15 s unless told. */
  readonly deadlineMs?: number;
}

/** A service as its callers see it: unary methods are promises, server streams are async iterables. */
export type ServiceClient<S extends ServiceDefinition> = {
  readonly [M in keyof S]: S[M] extends { responseStream: true }
    ? (request: RequestOf<S[M]>) => ClientReadableStream<ResponseOf<S[M]>>
    : (request: RequestOf<S[M]>, options?: CallOptions) => Promise<ResponseOf<S[M]>>;
} & { readonly close: () => void };

/**
 * A typed client for a generated service definition.
 *
 * @param address gRPC target: `unix:/path/registry.sock`, `127.0.0.1:7000`
 * Every failure rejects with a HoldfastError: the service's own, or SERVICE_UNAVAILABLE.
 */
export function createClient<S extends ServiceDefinition>(
  definition: S,
  address: string,
  channelCredentials: ChannelCredentials = credentials.createInsecure(),
): ServiceClient<S> {
  const client = new Client(address, channelCredentials, {
    // A service that was restarted should be found again at once, not after grpc's default of up to two minutes: clients
    // wait for it. A connect to a Unix socket at which nobody listens costs next to nothing.
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 250,
    'grpc.max_receive_message_length': ANSWER_BYTES_MAX,
  });
  const methods = new Map<string, unknown>([
    [
      'close',
      () => {
        client.close();
      },
    ],
  ]);
  for (const [name, method] of Object.entries(definition)) {
    const typed = method as unknown as MethodDefinition<unknown, unknown>;
    methods.set(name, typed.responseStream ? streaming(client, typed) : unary(client, address, typed));
  }
  return Object.fromEntries(methods) as ServiceClient<S>;
}

function unary(client: Client, address: string, method: MethodDefinition<unknown, unknown>) {
  return (request: unknown, options: CallOptions = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + (options.deadlineMs ?? DEADLINE_MS_DEFAULT);
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline },
        (error, response) => {
          if (error !== null) reject(fromServiceError(error, address));
          else resolve(response);
        },
      );
    });
}

function streaming(client: Client, method: MethodDefinition<unknown, unknown>) {
  return (request: unknown): ClientReadableStream<unknown> =>
    client.makeServerStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, request);
}
