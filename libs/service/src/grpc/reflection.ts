import { readDescriptorSet } from '@holdfast/contracts';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { Server } from '@grpc/grpc-js';

/** grpc.reflection: lets grpcurl and its like list and call what this process serves. */
export function addReflection(server: Server, services: readonly string[]): void {
  const contracts = loadFileDescriptorSetFromBuffer(readDescriptorSet());
  new ReflectionService(contracts, { services: [...services] }).addToServer(server);
}
