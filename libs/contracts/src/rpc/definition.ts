/**
 * One method of a ts-proto service definition, as far as the types of client and server are derived from it. The
 * `…as const` stream flags of the generated code tell unary from streaming.
 */
export interface MethodDefinition<Request, Response> {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly requestDeserialize: (value: Buffer) => Request;
  readonly responseSerialize: (value: Response) => Buffer;
  readonly responseDeserialize: (value: Buffer) => Response;
}

/** A generated service definition: `DeviceServiceService` and its like. */
export type ServiceDefinition = Readonly<Record<string, AnyMethodDefinition>>;

/** Any method: values go in as `never` and come out as `unknown`, so that every method fits. */
export interface AnyMethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (value: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (value: Buffer) => unknown;
}

export type RequestOf<M> = M extends { requestDeserialize: (value: Buffer) => infer Request }
  ? Request
  : never;
export type ResponseOf<M> = M extends { responseDeserialize: (value: Buffer) => infer Response }
  ? Response
  : never;
