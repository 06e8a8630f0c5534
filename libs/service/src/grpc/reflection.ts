import type { handleBidiStreamingCall, MethodDefinition, Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { readFileDescriptors } from '@holdfast/contracts';

const METHOD = 'ServerReflectionInfo';

interface Method {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handle: handleBidiStreamingCall<unknown, unknown>;
}

/**
 * grpc.reflection, v1 and v1alpha: lets grpcurl, buf and their like list, describe and call what this process serves.
 * Few ever ask, and to read and index the contracts takes a fifth of the work of a start: done at the first question.
 *
 * @param services full names of the process's own services
 */
export function addReflection(server: Pick<Server, 'addService'>, services: readonly string[]): void {
  let made: ReadonlyMap<string, Method> | undefined;
  for (const version of ['v1', 'v1alpha']) {
    const path = `/grpc.reflection.${version}.ServerReflection/${METHOD}`;
    const method = () => {
      made ??= makeMethods(services);
      const found = made.get(path);
      if (found === undefined) throw new Error(`@grpc/reflection does not serve ${path}`);
      return found;
    };
    const definition: MethodDefinition<unknown, unknown> = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (question) => method().definition.requestSerialize(question),
      requestDeserialize: (bytes) => method().definition.requestDeserialize(bytes),
      responseSerialize: (answer) => method().definition.responseSerialize(answer),
      responseDeserialize: (bytes) => method().definition.responseDeserialize(bytes),
    };
    const handle: Method['handle'] = (stream) => {
      method().handle(stream);
    };
    server.addService({ [METHOD]: definition }, { [METHOD]: handle });
  }
}

/**
 * The methods that the library would serve, by their paths.
 *
 * The files go in as the compiler wrote them: proto-loader would put those of one package together, and forget what
 * they import.
 */
function makeMethods(services: readonly string[]): ReadonlyMap<string, Method> {
  const contracts = {
    format: 'Protocol Buffer 3 DescriptorProto',
    type: {},
    fileDescriptorProtos: readFileDescriptors(),
  } as const;
  const methods = new Map<string, Method>();
  // In place of a server: it only adds services.
  const recorder: Pick<Server, 'addService'> = {
    addService(definitions, implementation) {
      for (const [name, definition] of Object.entries(definitions)) {
        methods.set(definition.path, { definition, handle: implementation[name] as Method['handle'] });
      }
    },
  };
  new ReflectionService({ contracts }, { services: [...services] }).addToServer(recorder);
  return methods;
}
