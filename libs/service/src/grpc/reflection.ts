import { readFileDescriptors } from '@holdfast/contracts';
import { ReflectionService } from '@grpc/reflection';
import type { Server } from '@grpc/grpc-js';

/**
 * grpc.reflection, v1 and v1alpha: lets grpcurl, buf and their like list, describe and call what this process serves.
 * The files go in as the compiler wrote them: proto-loader would put those of one package together, and forget what
 * they import.
 *
 * @param services full names of the process's own services
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const contracts = {
    format: 'Protocol Buffer 3 DescriptorProto',
    type: {},
    fileDescriptorProtos: readFileDescriptors(),
  } as const;
  new ReflectionService({ contracts }, { services: [...services] }).addToServer(server);
}
